/** May this user in, now? One, or many at once. */
import { z } from "@hono/zod-openapi";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { decideAccess } from "../../decide/decide.js";
import { DEFAULT_APP, isSubject } from "../../ingest/cloud-event.js";
import { type Api, json } from "../api.js";

const MAX_ASKED = 100;

const AskedSchema = z
  .strictObject({
    device: z.string().min(1).max(64),
    user: z.string().min(1).max(128),
    app: z.string().min(1).max(128).optional(),
    language: z
      .string()
      .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, "a tag such as de or pt-BR")
      .optional()
      .openapi({ description: "Of the message for the person" }),
  })
  .refine(({ device, user, app = DEFAULT_APP }) => isSubject(`${device}/${user}/${app}`), {
    message: "device: letters, digits, `_` and `-`; user and app also `.`",
  })
  .openapi("Asked");

const DecisionSchema = z
  .object({
    session: z.string(),
    decision: z.enum(["allow", "challenge", "deny"]),
    state: z.string().optional().openapi({ description: "Absent: there is no such session, or it can't be read" }),
    reasons: z
      .array(z.string())
      .openapi({ description: "Stable codes, the ruling one first; docs/decisions.md lists them" }),
    message: z.object({ key: z.string(), text: z.string() }).openapi({ description: "What to tell the person" }),
    revision: z.int(),
    asOf: z.number().openapi({ description: "Epoch ms" }),
    validUntil: z.number().nullable().openapi({ description: "When this access may end by itself, epoch ms" }),
  })
  .openapi("Decision");

export function decisionRoutes(api: Api): void {
  const { deployment, log, metrics } = api.dependencies;
  const onDoubt = (error: unknown) => log.warn({ err: error }, "a decision is deny for want of an answer");
  const decide = async (tenant: string, { device, user, app = DEFAULT_APP, language }: z.infer<typeof AskedSchema>) => {
    const begun = performance.now();
    const asked = { tenant, device: canonicalId(device), user: canonicalId(user), app, language };
    const decision = await decideAccess(deployment, asked, onDoubt);
    metrics.decided(decision, (performance.now() - begun) / 1_000);
    return decision;
  };

  api.route(
    {
      method: "get",
      path: "/v1/decision",
      scope: "decide",
      tag: "Decisions",
      summary: "May this user, on this device, open corporate data now?",
      query: AskedSchema,
      responses: { 200: json(DecisionSchema, "The decision") },
    },
    async ({ context, key, query }) => {
      context.header("cache-control", "no-store");
      return context.json(await decide(key.tenant, query));
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/decisions",
      scope: "decide",
      tag: "Decisions",
      summary: "Decide for many at once",
      body: z.strictObject({ asked: z.array(AskedSchema).min(1).max(MAX_ASKED) }).openapi("ManyAsked"),
      responses: {
        200: json(
          z.object({ decisions: z.array(DecisionSchema) }).openapi("Decisions"),
          "In the order of what was asked",
        ),
      },
    },
    async ({ context, key, body: { asked } }) => {
      context.header("cache-control", "no-store");
      return context.json({ decisions: await Promise.all(asked.map(async (one) => decide(key.tenant, one))) });
    },
  );
}
