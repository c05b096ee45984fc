/** What administrators of the caller's tenant did. */
import { z } from "@hono/zod-openapi";
import { ASKED_ACTS } from "../../audit/acts.js";
import { AuditLog, OUTCOMES } from "../../audit/audit-log.js";
import { type Api, json } from "../api.js";

const MAX_ACTS = 500;

const Act = z
  .object({
    id: z.string(),
    at: z.number().openapi({ description: "When it began, epoch ms" }),
    act: z.string(),
    by: z.string().openapi({ description: "Who: the name of the API key, or of the user at the command line" }),
    via: z.enum(["command line", "API"]),
    key: z.string().optional().openapi({ description: "Id of the API key" }),
    reason: z.string().optional(),
    user: z.string().optional().openapi({ description: "Tells people apart without naming them" }),
    device: z.string().optional().openapi({ description: "Likewise" }),
    about: z.looseObject({}).openapi({ description: "What was asked for, without secrets" }),
    outcome: z.enum(OUTCOMES).openapi({ description: "begun: it goes on, or how it ended is not known" }),
    code: z.string().optional().openapi({ description: "Of the error, if it failed" }),
    touched: z.record(z.string(), z.number()).optional().openapi({ description: "How much of what" }),
    tookMs: z.number().optional(),
  })
  .openapi("AuditedAct");

const Query = z.strictObject({
  act: z.enum(ASKED_ACTS).optional().openapi({ description: "keys.create, or keys for all about keys" }),
  by: z.string().min(1).max(256).optional().openapi({ description: "A name, or an API key's id" }),
  since: z.iso.datetime({ offset: true }).optional(),
  user: z.string().min(1).max(128).optional().openapi({ description: "Acts about this user" }),
  device: z.string().min(1).max(64).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_ACTS).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,16}-\d{1,16}$/, "`next` of an earlier page")
    .optional(),
});

export function auditRoutes(api: Api): void {
  const { redis, prefix } = api.dependencies.deployment;
  api.route(
    {
      method: "get",
      path: "/v1/audit",
      scope: "admin",
      tag: "Audit",
      summary: "Tell what administrators did, the newest first",
      description: "A page may be short although more follow: go on while `next` is there.",
      query: Query,
      responses: {
        200: json(
          z.object({ acts: z.array(Act), next: z.string().nullable() }).openapi("Audit"),
          "Acts, and where the next page begins",
        ),
      },
    },
    async ({ context, key: { tenant }, query: { limit, cursor, since, ...filter } }) => {
      const from = since === undefined ? undefined : Date.parse(since);
      return context.json(await new AuditLog(redis, prefix, tenant).read({ ...filter, since: from }, limit, cursor));
    },
  );
}
