/** What is known of users: license, groups, account; told in bulk, shown for one. */
import { z } from "@hono/zod-openapi";
import { decide } from "../../../machines/decision.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { isUserSubject } from "../../ingest/cloud-event.js";
import { jsonPointer } from "../../ingest/refusal.js";
import { splitEvents } from "../../ingest/split-events.js";
import { look } from "../../sessions/look.js";
import { importUsers } from "../../users/import-users.js";
import { LINE_BYTES, type UserLine, readUserLine } from "../../users/user-line.js";
import { type Api, json } from "../api.js";
import { readPieces } from "../body.js";
import { HttpProblem } from "../problem.js";

const MAX_LISTED = 1_000;
const MAX_SHOWN_SESSIONS = 100;

const LINE_FIX =
  'Send {"user", "licensed"?, "groups"?, "account"?: "enabled" or "disabled"}, or a Graph user with its id.';

export function userRoutes(api: Api): void {
  const { deployment } = api.dependencies;

  api.route(
    {
      method: "post",
      path: "/v1/users/import",
      scope: "admin",
      tag: "Users",
      summary: "Take in license, groups and account of many users",
      audit: { act: "users.import" },
      description:
        "NDJSON or one JSON array, of any length; each {user, licensed?, groups?, account?} or a user as Graph exports it. " +
        "What a line leaves out stays as it is known; groups are complete. Sending it again is safe.",
      content: {
        "application/x-ndjson": { schema: z.string() },
        "application/json": { schema: z.array(z.looseObject({})) },
      },
      responses: {
        200: json(
          z
            .object({
              read: z.int(),
              changed: z.int(),
              unchanged: z.int(),
              told: z.int().openapi({ description: "Sessions that were told" }),
              refused: z.int(),
              refusals: z.array(
                z.object({ place: z.int(), pointer: z.string(), message: z.string(), fix: z.string() }),
              ),
            })
            .openapi("ImportedUsers"),
          "What became of the lines; the first 1,000 that were refused are named",
        ),
      },
    },
    async ({ context, key: { tenant }, acting }) => {
      const totals = { read: 0, changed: 0, unchanged: 0, told: 0, refused: 0 };
      const refusals: { place: number; pointer: string; message: string; fix: string }[] = [];
      const refuse = (place: number, pointer: string, message: string, fix: string) => {
        totals.refused++;
        if (refusals.length < MAX_LISTED) refusals.push({ place, pointer, message, fix });
      };
      for await (const chunk of splitEvents(readPieces(context), { maxBytes: LINE_BYTES }).chunks) {
        const lines: UserLine[] = [];
        for (const one of chunk) {
          if ("refusal" in one) {
            refuse(one.place, one.refusal.path, one.refusal.message, LINE_FIX);
            continue;
          }
          const line = readUserLine(one.input);
          if ("user" in line) lines.push(line);
          else refuse(one.place, jsonPointer(line.path), line.message, LINE_FIX);
        }
        const { changed, unchanged, told } = await importUsers(deployment, tenant, lines);
        totals.read += chunk.length;
        totals.changed += changed;
        totals.unchanged += unchanged;
        totals.told += told;
        acting.touch(totals);
      }
      return context.json({ ...totals, refusals });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/users/{user}",
      scope: "operate",
      tag: "Users",
      summary: "Show what is known of a user, and the user's sessions",
      params: z.object({ user: z.string().max(128) }),
      responses: {
        200: json(
          z
            .looseObject({ user: z.string(), sessions: z.array(z.looseObject({ session: z.string() })) })
            .openapi("User"),
          "The record, and up to 100 sessions as they stand now",
        ),
      },
      problems: [404],
    },
    async ({ context, key: { tenant }, params }) => {
      if (!isUserSubject(params.user)) throw userUnknown();
      const user = { tenant, user: canonicalId(params.user) };
      const record = await deployment.users.read(user);
      const { sessions: known } = await deployment.users.sessionsOf(user, null, MAX_SHOWN_SESSIONS);
      const ids = [...new Set(known.map(({ device, app }) => `${tenant}/${device}/${user.user}/${app}`))].sort();
      if (record === undefined && ids.length === 0) throw userUnknown();
      const sessions = await Promise.all(
        ids.slice(0, MAX_SHOWN_SESSIONS).map(async (id) => {
          const { session, rules, now } = await look(deployment, id);
          if (session === undefined || "unreadable" in session || rules === undefined) return { session: id };
          const { decision, reasons } = decide(session, rules, now);
          return { session: id, state: session.state, decision, reasons };
        }),
      );
      return context.json({ user: user.user, record: record ?? null, sessions });
    },
  );
}

const userUnknown = (): HttpProblem =>
  new HttpProblem("user.unknown", "Nothing is known of the user.", {
    fix: "A user is known from an event, an import or a sign-in on.",
  });
