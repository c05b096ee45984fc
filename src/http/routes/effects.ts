/** What became of effects that were to be sent: the log of deliveries, and another try for what was given up. */
import { z } from "@hono/zod-openapi";
import { DELIVERY_STATES } from "../../effects/delivery.js";
import { EffectUnknownError } from "../../webhooks/webhook-errors.js";
import { type Api, json } from "../api.js";
import { registerProblem } from "../problem.js";

const MAX_DELIVERIES = 500;

const Delivery = z
  .object({
    effect: z.looseObject({ id: z.string(), session: z.string(), revision: z.int(), type: z.string() }),
    endpoint: z.string(),
    state: z.enum(DELIVERY_STATES),
    addedAt: z.number(),
    at: z.number().openapi({ description: "When the next attempt is due, it arrived or it was given up, epoch ms" }),
    attemptsMade: z.int(),
    attempts: z
      .array(
        z.object({
          at: z.number(),
          durationMs: z.number(),
          status: z.int().optional(),
          why: z.string().optional().openapi({ description: "Why it did not count as delivered" }),
        }),
      )
      .openapi({ description: "The last 20, oldest first" }),
    why: z.string().optional().openapi({ description: "Why it is spent or was dropped" }),
  })
  .openapi("EffectDelivery");

const EndpointId = z.string().min(1).max(64);
const EffectType = z.string().min(1).max(64);

const Query = z.strictObject({
  state: z.enum(DELIVERY_STATES).optional(),
  endpoint: EndpointId.optional(),
  type: EffectType.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_DELIVERIES).default(50),
});

const RedriveBody = z
  .strictObject({
    endpoint: EndpointId.optional(),
    type: EffectType.optional(),
    id: z.string().min(1).max(64).optional().openapi({ description: "Of one effect" }),
    apply: z.boolean().default(false).openapi({ description: "false: count and reasons alone, nothing is changed" }),
  })
  .openapi("RedriveEffects");

const Counts = z.record(z.string(), z.int());

export function effectRoutes(api: Api): void {
  const { webhooks } = api.dependencies;
  registerProblem(EffectUnknownError, 404, "No delivery of such an effect is known");

  api.route(
    {
      method: "get",
      path: "/v1/effects",
      scope: "operate",
      tag: "Effects",
      summary: "List deliveries of effects",
      description: "Endpoint by endpoint: what waits by when it is due, the rest newest first.",
      query: Query,
      responses: {
        200: json(
          z.object({ deliveries: z.array(Delivery), more: z.boolean() }).openapi("EffectDeliveries"),
          "Deliveries, and whether there are more",
        ),
      },
      problems: [404],
    },
    async ({ context, key: { tenant }, query: { state, endpoint, type, limit } }) =>
      context.json(
        await webhooks.deliveries(tenant, {
          limit,
          ...(state !== undefined && { state }),
          ...(endpoint !== undefined && { endpoint }),
          ...(type !== undefined && { type }),
        }),
      ),
  );

  api.route(
    {
      method: "get",
      path: "/v1/effects/{id}",
      scope: "operate",
      tag: "Effects",
      summary: "Show an effect's deliveries, attempt by attempt",
      params: z.object({ id: z.string().max(64).openapi({ description: "The effect's id, as in webhook-id" }) }),
      responses: {
        200: json(
          z.object({ deliveries: z.array(Delivery) }).openapi("DeliveriesOfAnEffect"),
          "One for each endpoint that was to have it",
        ),
      },
      problems: [404],
    },
    async ({ context, key: { tenant }, params: { id } }) =>
      context.json({ deliveries: await webhooks.delivery(tenant, id) }),
  );

  api.route(
    {
      method: "post",
      path: "/v1/effects/redrive",
      scope: "operate",
      tag: "Effects",
      summary: "Try again what was given up, or see first what that would be",
      audit: {
        act: "effects.redrive",
        about: ({ body: { endpoint, type, id } }) => ({ endpoint, type, id }),
        applies: ({ apply }) => apply,
      },
      description: "Each delivery keeps its webhook-id and begins its schedule anew.",
      body: RedriveBody,
      responses: {
        200: json(
          z
            .object({
              applied: z.boolean(),
              count: z.int(),
              byReason: Counts,
              byEndpoint: Counts,
              notActive: z.array(z.string()).openapi({ description: "Endpoints that nothing is sent to now" }),
            })
            .openapi("RedrivenEffects"),
          "How many deliveries, why they were given up, and to whom they go",
        ),
      },
      problems: [404],
    },
    async ({ context, key: { tenant }, body: { endpoint, type, id, apply }, acting }) => {
      const query = {
        ...(endpoint !== undefined && { endpoint }),
        ...(type !== undefined && { type }),
        ...(id !== undefined && { id }),
      };
      const result = apply ? await webhooks.redrive(tenant, query) : await webhooks.previewRedrive(tenant, query);
      acting.touch({ deliveries: result.count });
      return context.json({ applied: apply, ...result });
    },
  );
}
