/** A person signed out or wiped by an administrator. */
import { z } from "@hono/zod-openapi";
import type { ActName } from "../../audit/acts.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { type Ending, endSessions, previewEnding } from "../../ending/end-sessions.js";
import { isSubject } from "../../ingest/cloud-event.js";
import { type Api, json } from "../api.js";
import { HttpProblem } from "../problem.js";

const MAX_NOTE = 256;

const Whom = z.strictObject({
  device: z.string().min(1).max(64).optional().openapi({ description: "On one device alone" }),
  app: z.string().min(1).max(128).optional().openapi({ description: "Of one app alone" }),
  apply: z.boolean().default(false).openapi({ description: "false: only say whom it concerns; nothing is changed" }),
});

const Ended = z
  .object({
    applied: z.boolean(),
    sessions: z.array(
      z.looseObject({
        session: z.string(),
        state: z.string().optional(),
        passedBy: z.string().optional().openapi({ description: "Why it is sent nothing" }),
        isSetAside: z.boolean().openapi({ description: "It is quarantined: obeyed when that is lifted or dropped" }),
        to: z.string().optional(),
        effects: z.array(z.string()),
      }),
    ),
    results: z.array(z.object({ session: z.string(), status: z.enum(["sent", "before", "refused"]) })).optional(),
  })
  .openapi("EndedSessions");

const RESPONSES = { 200: json(Ended, "Each session, and what was or would be done to it") };
const DESCRIPTION =
  "Sessions that obeyed already are passed by, so sending it again is safe. Decisions are deny from the answer on.";

export function endingRoutes(api: Api): void {
  const { deployment } = api.dependencies;

  const add = <Body extends typeof Whom>(
    verb: string,
    act: ActName,
    summary: string,
    body: Body,
    endingOf: (body: z.infer<Body>) => Ending,
  ): void =>
    api.route(
      {
        method: "post",
        path: `/v1/users/{user}/${verb}`,
        scope: "admin",
        tag: "Users",
        summary,
        description: DESCRIPTION,
        params: z.object({ user: z.string().max(128) }),
        body,
        audit: {
          act,
          about: ({ body: asked }) => ({ app: asked.app }),
          person: ({ params: { user }, body: { device } }) => ({ user, device }),
          applies: ({ apply }) => apply,
        },
        responses: RESPONSES,
        problems: [404],
      },
      async ({ context, key: { tenant }, params, body: asked, acting }) => {
        const { device, app, apply } = asked;
        if (!isSubject(`${device ?? "d"}/${params.user}/${app ?? "a"}`)) throw noSession();
        const scope = {
          tenant,
          user: canonicalId(params.user),
          device: device === undefined ? undefined : canonicalId(device),
          app,
        };
        const previews = await previewEnding(deployment, scope, endingOf(asked));
        if (previews.length === 0) throw noSession();
        const sessions = previews.map(({ event: _, ...preview }) => preview);
        if (!apply) return context.json({ applied: false, sessions });
        acting.touch({ sessions: sessions.length });
        const results = await endSessions(deployment, tenant, previews, (sent) => acting.touch({ sent: sent.length }));
        return context.json({ applied: true, sessions, results });
      },
    );

  const note = z.string().trim().min(1).max(MAX_NOTE).optional();
  add(
    "signout",
    "signout",
    "Sign a user out, or see first whom that concerns",
    Whom.extend({ note: note.openapi({ description: "Kept in the sessions' history" }) }).openapi("SignOut"),
    (body) => ({ what: "signOut", note: body.note }),
  );
  add(
    "wipe",
    "wipe.request",
    "Have a user's work data wiped, or see first whom that concerns",
    Whom.extend({
      scope: z
        .enum(["app", "user"])
        .default("app")
        .openapi({ description: "app: once; user: at every contact until cancelled" }),
    }).openapi("Wipe"),
    ({ scope }) => ({ what: "wipe", scope }),
  );
  add(
    "wipe-cancel",
    "wipe.cancel",
    "Call a wipe off, or see first whom that concerns",
    Whom.openapi("CancelWipe"),
    () => ({
      what: "cancelWipe",
    }),
  );
}

const noSession = (): HttpProblem =>
  new HttpProblem("user.unknown", "The user has no such session.", {
    fix: "GET /v1/users/{user} shows the sessions of a user.",
  });
