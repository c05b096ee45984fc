/** Webhook endpoints of the caller's tenant. */
import { z } from "@hono/zod-openapi";
import { ENDPOINT_STATES, EffectFilter, NewEndpoint } from "../../webhooks/endpoint.js";
import {
  WebhookConflictError,
  WebhookLimitError,
  WebhookSecretError,
  WebhookTargetError,
  WebhookUnknownError,
} from "../../webhooks/webhook-errors.js";
import { ROTATION_GRACE_MS } from "../../webhooks/webhooks.js";
import { type Api, json } from "../api.js";
import { registerProblem } from "../problem.js";

const EpochMs = z.number().openapi({ description: "Epoch ms" });

const EndpointSchema = z
  .object({
    id: z.string(),
    tenant: z.string(),
    url: z.string(),
    description: z.string(),
    filter: EffectFilter,
    state: z.enum(ENDPOINT_STATES),
    why: z.string().optional().openapi({ description: "Why it is not active" }),
    createdAt: EpochMs,
    changedAt: EpochMs,
    secretCreatedAt: EpochMs,
    previousSecretUntil: EpochMs.optional().openapi({ description: "Until then deliveries carry two signatures" }),
  })
  .openapi("WebhookEndpoint");

const WithFigures = EndpointSchema.extend({
  figures: z.object({
    waiting: z.int(),
    spent: z.int(),
    delivered: z.int(),
    spentEver: z.int(),
    forgotten: z.int(),
    failures: z.int().openapi({ description: "Attempts that failed in a row" }),
    failingSince: z.number().nullable(),
    nextAttempt: z.number().nullable(),
  }),
}).openapi("WebhookEndpointWithFigures");

const WithSecret = EndpointSchema.extend({
  secret: z.string().openapi({ description: "whsec_…, for a Standard Webhooks library" }),
}).openapi("WebhookEndpointWithSecret");

const Path = z.object({ id: z.string().max(64) });

const MAX_GRACE_HOURS = 30 * 24;
const HOUR_MS = 3_600_000;

/** As the log says who did something. */
const byKey = ({ id, name }: { readonly id: string; readonly name: string }): string => `${name} (API key ${id})`;

export function webhookRoutes(api: Api): void {
  const { webhooks } = api.dependencies;
  registerProblem(WebhookUnknownError, 404, "There is no such webhook endpoint");
  registerProblem(WebhookTargetError, 400, "Nothing may be sent to the URL");
  registerProblem(WebhookConflictError, 409, "Somebody else changed the endpoint first");
  registerProblem(WebhookLimitError, 409, "The tenant has as many endpoints as it may have");
  registerProblem(WebhookSecretError, 500, "The endpoint's secret can't be read");

  api.route(
    {
      method: "post",
      path: "/v1/webhooks",
      scope: "admin",
      tag: "Webhooks",
      summary: "Create a webhook endpoint",
      audit: { act: "webhooks.create", about: ({ body: { url } }) => ({ host: URL.parse(url)?.host }) },
      description: "From then on it is sent the effects that its filter asks for, as signed CloudEvents.",
      body: NewEndpoint,
      responses: { 201: json(WithSecret, "The endpoint, and its secret, which can't be had again") },
      problems: [409],
    },
    async ({ context, key: { tenant }, body, acting }) => {
      const { endpoint, secret } = await webhooks.create(tenant, body);
      acting.know({ endpoint: endpoint.id });
      context.header("cache-control", "no-store");
      return context.json({ ...endpoint, secret }, 201);
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/webhooks",
      scope: "admin",
      tag: "Webhooks",
      summary: "List webhook endpoints",
      responses: {
        200: json(z.object({ endpoints: z.array(WithFigures) }).openapi("WebhookEndpoints"), "The oldest first"),
      },
    },
    async ({ context, key: { tenant } }) => context.json({ endpoints: await webhooks.list(tenant) }),
  );

  api.route(
    {
      method: "get",
      path: "/v1/webhooks/{id}",
      scope: "admin",
      tag: "Webhooks",
      summary: "Show a webhook endpoint",
      params: Path,
      responses: { 200: json(WithFigures, "The endpoint, and what waits for it") },
      problems: [404],
    },
    async ({ context, key: { tenant }, params: { id } }) => context.json(await webhooks.get(tenant, id)),
  );

  api.route(
    {
      method: "delete",
      path: "/v1/webhooks/{id}",
      scope: "admin",
      tag: "Webhooks",
      summary: "Remove a webhook endpoint",
      audit: { act: "webhooks.remove", about: ({ params: { id } }) => ({ endpoint: id }) },
      description:
        "What waits for it is dropped, and stays listed for 30 days with who removed the endpoint, or until 50 more were.",
      params: Path,
      responses: {
        200: json(EndpointSchema.extend({ dropped: z.int() }).openapi("RemovedWebhookEndpoint"), "What was removed"),
      },
      problems: [404, 409],
    },
    async ({ context, key, params: { id }, acting }) => {
      const { endpoint, dropped } = await webhooks.remove(key.tenant, id, byKey(key));
      acting.touch({ deliveries: dropped });
      return context.json({ ...endpoint, dropped });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/webhooks/{id}/pause",
      scope: "admin",
      tag: "Webhooks",
      summary: "Send an endpoint nothing for now",
      audit: { act: "webhooks.pause", about: ({ params: { id } }) => ({ endpoint: id }) },
      description: "Effects wait for it, for as long as it takes.",
      params: Path,
      responses: { 200: json(EndpointSchema, "The endpoint") },
      problems: [404, 409],
    },
    async ({ context, key, params: { id } }) => context.json(await webhooks.pause(key.tenant, id, byKey(key))),
  );

  api.route(
    {
      method: "post",
      path: "/v1/webhooks/{id}/resume",
      scope: "admin",
      tag: "Webhooks",
      summary: "Send to an endpoint again that was paused or disabled",
      audit: { act: "webhooks.resume", about: ({ params: { id } }) => ({ endpoint: id }) },
      description: "What waits for it is due at once.",
      params: Path,
      responses: { 200: json(EndpointSchema, "The endpoint") },
      problems: [404, 409],
    },
    async ({ context, key: { tenant }, params: { id } }) => context.json(await webhooks.resume(tenant, id)),
  );

  api.route(
    {
      method: "post",
      path: "/v1/webhooks/{id}/rotate",
      scope: "admin",
      tag: "Webhooks",
      summary: "Give an endpoint a new secret",
      audit: {
        act: "webhooks.rotate",
        about: ({ params: { id }, body: { graceHours } }) => ({ endpoint: id, graceMs: graceHours * HOUR_MS }),
      },
      params: Path,
      body: z
        .strictObject({
          graceHours: z
            .number()
            .min(0)
            .max(MAX_GRACE_HOURS)
            .default(ROTATION_GRACE_MS / HOUR_MS)
            .openapi({ description: "How long the secret before signs, too; 0: it ends at once" }),
        })
        .openapi("RotateWebhookSecret"),
      responses: { 200: json(WithSecret, "The endpoint, and its new secret, which can't be had again") },
      problems: [404, 409],
    },
    async ({ context, key: { tenant }, params: { id }, body: { graceHours } }) => {
      const { endpoint, secret } = await webhooks.rotate(tenant, id, graceHours * HOUR_MS);
      context.header("cache-control", "no-store");
      return context.json({ ...endpoint, secret });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/webhooks/{id}/test",
      scope: "admin",
      tag: "Webhooks",
      summary: "Send an endpoint a signed test event",
      audit: { act: "webhooks.test", about: ({ params: { id } }) => ({ endpoint: id }) },
      description: "At once, whatever state the endpoint is in. Says what came of it, never what the answer held.",
      params: Path,
      responses: {
        200: json(
          z
            .object({
              webhookId: z.string(),
              delivered: z.boolean(),
              durationMs: z.number(),
              status: z.int().optional().openapi({ description: "Of the answer, if there was one" }),
              why: z.string().optional().openapi({ description: "Why it does not count as delivered" }),
            })
            .openapi("WebhookTest"),
          "What came of it",
        ),
      },
      problems: [404],
    },
    async ({ context, key: { tenant }, params: { id } }) => {
      const { id: webhookId, answer } = await webhooks.test(tenant, id);
      const { status, durationMs, why } = answer;
      return context.json({ webhookId, delivered: why === undefined, durationMs, status, why });
    },
  );
}
