/** Sessions as they stand now: a list, one of them, and what happened to it. */
import { z } from "@hono/zod-openapi";
import { STATES, STATE_NAMES } from "../../../machines/session/context.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import type { Session } from "../../../machines/session/session.js";
import { isSubject, parseSubject } from "../../ingest/cloud-event.js";
import { readHistory } from "../../sessions/history.js";
import { listSessions } from "../../sessions/list-sessions.js";
import { type Look, look } from "../../sessions/look.js";
import { sessionDocument } from "../../sessions/session-document.js";
import { type SessionFilter, matchesFilter, sessionRow } from "../../sessions/session-filter.js";
import { partitionOf } from "../../store/session-key.js";
import { type Api, type ApiDependencies, json } from "../api.js";
import { HttpProblem } from "../problem.js";

const MAX_SESSIONS = 500;
/** Sessions looked at for one page: a filter that nearly nothing matches must not hold a request for minutes. */
const MAX_LOOKED_AT = 20_000;
const MAX_RECORDS = 1_000;

const Row = z.looseObject({ session: z.string(), state: z.string(), revision: z.int() }).openapi("SessionRow");

const Query = z.strictObject({
  state: z
    .enum([...new Set([...STATE_NAMES, ...STATES])] as [string, ...string[]])
    .optional()
    .openapi({ description: "One of the seven states, or a part of one such as unenrolled.held" }),
  cause: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: "The cause of noncompliance, or the reason of a sign-out" }),
  user: z.string().min(1).max(128).optional(),
  device: z.string().min(1).max(64).optional(),
  policy: z.string().min(1).max(128).optional().openapi({ description: "The id of a policy that covers the session" }),
  limit: z.coerce.number().int().min(1).max(MAX_SESSIONS).default(50),
  cursor: z.string().max(512).optional().openapi({ description: "`next` of the page before" }),
});

/** Where Redis goes on with a scan: it refuses what is no unsigned number of 64 bits. */
const ScanCursor = z
  .string()
  .regex(/^\d{1,20}$/)
  .refine((text) => BigInt.asUintN(64, BigInt(text)) === BigInt(text));
const Place = z.strictObject({ partition: z.int().min(0), from: ScanCursor.nullable(), skip: z.int().min(0) });
type Place = z.infer<typeof Place>;

const SessionPath = z.object({
  id: z
    .string()
    .openapi({ description: "device/user or device/user/app, with %2F for each slash", example: "phone-17%2Fadele" }),
});

/** @throws HttpProblem `session.unknown`: what can't be a session's id is none */
function sessionIdIn(tenant: string, id: string): string {
  const parts = id.split("/");
  const isWhole = parts.length === 4;
  const subject = isWhole ? parts.slice(1).join("/") : id;
  if ((isWhole && parts[0] !== tenant) || !isSubject(subject)) throw sessionUnknown();
  const { device, user, app } = parseSubject(subject);
  return `${tenant}/${device}/${user}/${app}`;
}

const sessionUnknown = (): HttpProblem =>
  new HttpProblem("session.unknown", "There is no such session.", {
    fix: "A session begins with account.signedIn; GET /v1/sessions lists those that are there.",
  });

async function found({ deployment }: ApiDependencies, id: string) {
  const seen: Look = await look(deployment, id);
  const { session, rules } = seen;
  if (session === undefined) throw sessionUnknown();
  if ("unreadable" in session || rules === undefined) {
    throw new HttpProblem("session.unknown", "The stored session can't be read.", {
      fix: "Decisions for it are deny until it is repaired.",
    });
  }
  return { ...seen, session, rules };
}

export function sessionRoutes(api: Api): void {
  const { dependencies } = api;
  const { deployment } = dependencies;

  api.route(
    {
      method: "get",
      path: "/v1/sessions",
      scope: "operate",
      tag: "Sessions",
      summary: "List sessions",
      description:
        "As they stand now: deadlines that passed and published policies are counted in, events that wait for a worker are not. " +
        "A page may be short although more follow: go on while `next` is there. While many sessions begin, one may come twice.",
      query: Query,
      responses: {
        200: json(
          z.object({ sessions: z.array(Row), next: z.string().nullable() }).openapi("SessionPage"),
          "A page; `next` is null at the end",
        ),
      },
    },
    async ({ context, key, query: { limit, cursor, policy, ...filter } }) =>
      context.json(await page(dependencies, key.tenant, { filter, policy, limit, place: readCursor(cursor) })),
  );

  api.route(
    {
      method: "get",
      path: "/v1/sessions/{id}",
      scope: "operate",
      tag: "Sessions",
      summary: "Show one session",
      description: "Facts, deadlines, rules, the decision and the events that it would answer.",
      params: SessionPath,
      responses: { 200: json(z.looseObject({ session: z.string() }).openapi("Session"), "The session") },
      problems: [404],
    },
    async ({ context, key, params }) =>
      context.json(sessionDocument(await found(dependencies, sessionIdIn(key.tenant, params.id)))),
  );

  api.route(
    {
      method: "get",
      path: "/v1/sessions/{id}/history",
      scope: "operate",
      tag: "Sessions",
      summary: "Tell what happened to a session",
      description: "Its journal records, oldest first; the newest ones if there are more than asked for.",
      params: SessionPath,
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_RECORDS).default(100) }),
      responses: {
        200: json(
          z
            .object({
              session: z.string(),
              records: z.array(z.looseObject({ seq: z.int() })),
              erased: z.int().optional(),
              cut: z.string().optional(),
            })
            .openapi("History"),
          "The records; `cut` says why they do not go back to the first: limit, trimmed or erased; `erased` counts those that are gone in between",
        ),
      },
      problems: [404],
    },
    async ({ context, key, params, query: { limit } }) => {
      const id = sessionIdIn(key.tenant, params.id);
      const { partition, lastRecord, waiting } = await found(dependencies, id);
      return context.json({
        session: id,
        waiting,
        ...(await readHistory(deployment.store, partition, lastRecord, { limit })),
      });
    },
  );
}

/** @throws HttpProblem if it is no cursor of ours */
function readCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  try {
    return Place.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch {
    throw new HttpProblem("request.invalid", "The cursor is not one that a page gave.", {
      fix: "Send `next` of the page before as it came, or leave cursor out to begin.",
    });
  }
}

const writeCursor = (place: Place): string => Buffer.from(JSON.stringify(place)).toString("base64url");

interface Wanted {
  readonly filter: SessionFilter;
  readonly policy: string | undefined;
  readonly limit: number;
  readonly place: Place | undefined;
}

async function page(
  { deployment }: ApiDependencies,
  tenant: string,
  { filter, policy, limit, place }: Wanted,
): Promise<{ sessions: object[]; next: string | null }> {
  const { store, rules, catalogues } = deployment;
  const { partitionCount } = store.deployment;
  const version = policy === undefined ? 0 : await catalogues.current(tenant);
  await rules.prepare({}, [{ tenant, version }]);
  const isCovered = (session: Session): boolean =>
    policy === undefined || rules.rulesOf(tenant, version, session).policies.some(({ id }) => id === policy);

  const only =
    filter.device === undefined ? undefined : partitionOf(tenant, canonicalId(filter.device), partitionCount);
  const sessions: object[] = [];
  let lookedAt = 0;
  for (let partition = place?.partition ?? only ?? 0; partition < partitionCount; partition++) {
    if (only !== undefined && partition !== only) break;
    let from: string | null = place?.partition === partition ? place.from : null;
    let skip = place?.partition === partition ? place.skip : 0;
    for await (const { sessions: some, next } of listSessions(store, rules, partition, from)) {
      for (const [n, session] of some.entries()) {
        if (n < skip) continue;
        if (sessions.length === limit) return { sessions, next: writeCursor({ partition, from, skip: n }) };
        if (matchesFilter(session, tenant, filter) && isCovered(session)) sessions.push(sessionRow(session));
      }
      skip = 0;
      from = next;
      lookedAt += some.length;
      if (next !== null && lookedAt >= MAX_LOOKED_AT)
        return { sessions, next: writeCursor({ partition, from, skip: 0 }) };
    }
    if (lookedAt >= MAX_LOOKED_AT && partition + 1 < partitionCount && only === undefined) {
      return { sessions, next: writeCursor({ partition: partition + 1, from: null, skip: 0 }) };
    }
  }
  return { sessions, next: null };
}
