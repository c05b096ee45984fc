/** A webhook endpoint: where a tenant wants effects sent, which of them, and what its deliveries are signed with. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { EFFECTS, type EffectType } from "../../machines/effects/catalogue.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { TENANT_PATTERN } from "../ingest/cloud-event.js";
import type { EffectMessage } from "../store/partition-view.js";

const EFFECT_TYPES = Object.keys(EFFECTS) as [EffectType, ...EffectType[]];
const MAX_URL_CHARS = 2_048;
const MAX_APPS = 50;

/** What of the tenant's effects an endpoint is sent. A field that is absent asks for nothing; all that are there must be met. */
export const EffectFilter = z.strictObject({
  types: z.array(z.enum(EFFECT_TYPES)).min(1).optional().describe("types of effects; absent: all"),
  kinds: z
    .array(z.enum(["state", "command"]))
    .min(1)
    .optional()
    .describe("kinds of effects; absent: both"),
  apps: z
    .array(z.string().regex(/^[A-Za-z0-9._-]{1,128}$/))
    .min(1)
    .max(MAX_APPS)
    .optional()
    .describe("apps of the sessions; absent: all"),
});
export type EffectFilter = z.infer<typeof EffectFilter>;

/** What somebody says who makes an endpoint. */
export const NewEndpoint = z.strictObject({
  url: z.string().min(1).max(MAX_URL_CHARS),
  description: z.string().max(200).default(""),
  filter: EffectFilter.default({}),
});
export type NewEndpoint = z.input<typeof NewEndpoint>;

/**
 * `active`: is sent effects. `paused`: somebody said so; effects wait. `disabled`: Gatehouse gave it up; what comes is spent.
 * `removed`: kept for a while, so that its deliveries can be looked at.
 */
export const ENDPOINT_STATES = ["active", "paused", "disabled", "removed"] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

export const EndpointRecord = z.strictObject({
  id: z.string(),
  tenant: z.string().regex(TENANT_PATTERN),
  url: z.string(),
  description: z.string(),
  filter: EffectFilter,
  state: z.enum(ENDPOINT_STATES),
  /** Why it is not active, in words, and who saw to that. */
  why: z.string().optional(),
  /** Epoch ms. */
  createdAt: z.number(),
  changedAt: z.number(),
  /** Newest first. `until`: when a secret that was rotated away ends, epoch ms. */
  secrets: z.array(z.strictObject({ sealed: z.string(), createdAt: z.number(), until: z.number().optional() })).min(1),
});
export type EndpointRecord = z.infer<typeof EndpointRecord>;

/** An endpoint as people and programs see it: without its secrets. */
export interface Endpoint extends Omit<EndpointRecord, "secrets"> {
  /** When the newest secret was made, epoch ms. */
  readonly secretCreatedAt: number;
  /** Until when deliveries carry a second signature, with the secret before, epoch ms. */
  readonly previousSecretUntil?: number;
}

export function withoutSecrets({ secrets, ...endpoint }: EndpointRecord): Endpoint {
  const until = secrets[1]?.until;
  return {
    ...endpoint,
    secretCreatedAt: secrets[0]?.createdAt ?? endpoint.createdAt,
    ...(until !== undefined && until > Date.now() && { previousSecretUntil: until }),
  };
}

export const newEndpointId = (): string => `wh_${randomBytes(8).toString("hex")}`;

/** Whether the endpoint is to be sent the effect, if it can be sent anything. */
export function wants({ tenant, filter }: EndpointRecord, { session, type, kind }: EffectMessage): boolean {
  const of = sessionIdParts(session);
  return (
    of.tenant === tenant &&
    (filter.types === undefined || filter.types.includes(type as EffectType)) &&
    (filter.kinds === undefined || filter.kinds.includes(kind)) &&
    (filter.apps === undefined || filter.apps.includes(of.app))
  );
}
