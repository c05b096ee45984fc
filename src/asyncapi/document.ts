/**
 * The AsyncAPI 3 document: every event that Gatehouse takes and every effect that it sends, from the schemas that the code itself
 * parses with. JSON Schema there is that of Draft 7, as AsyncAPI has it.
 */
import { z } from "zod";
import { EFFECTS } from "../../machines/effects/catalogue.js";
import { EVENTS } from "../../machines/events/catalogue.js";
import type { EventDefinition } from "../../machines/events/define-event.js";
import { CloudEventEnvelope } from "../ingest/cloud-event.js";
import { LIMITS } from "../ingest/inspect-json.js";
import { SESSION_SUBJECT, USER_SUBJECT } from "../ingest/subject.js";
import { CLOUD_EVENT_TYPE_PREFIX } from "../webhooks/cloud-event.js";

const EVENT_MEDIA_TYPE = "application/cloudevents+json";

const sessionSubject = z
  .string()
  .regex(SESSION_SUBJECT)
  .describe("`device/user` or `device/user/app`; `app` defaults to `azure-mobile`");
const anySubject = z.union([
  sessionSubject,
  z.string().regex(USER_SUBJECT).describe("the user, on whatever device; the event reaches every session of theirs"),
]);

/** `gatehouse.effect.<type>`, as webhooks carry it. */
const effectEnvelope = z.strictObject({
  specversion: z.literal("1.0"),
  id: z.string().describe("the same at every attempt, and that of the header `webhook-id`"),
  source: z.string().describe("`/gatehouse/<tenant>`"),
  subject: sessionSubject,
  time: z.iso.datetime().describe("when it was decided"),
  datacontenttype: z.literal("application/json"),
  tenant: z.string(),
  revision: z.int().min(0).describe("of the session: a greater one is newer"),
  traceparent: z
    .string()
    .optional()
    .describe("W3C Trace Context: where the trace of the event that led to it goes on, if that belonged to one"),
});

const KINDS = {
  state: "Says how things stand: one whose `revision` is lower than what was seen of the session may be dropped.",
  command: "To be carried out once, whatever came later: never drop it.",
} as const;

type Json = Readonly<Record<string, unknown>>;

/** `format` says what a time is; zod's own pattern for it would only be longer. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: "draft-7",
    io,
    override: ({ jsonSchema: made }) => {
      if (made.format === "date-time") delete made.pattern;
    },
  });
  return rest;
}

/** Attributes that are the same in every event, and in every effect: told once, under these prefixes. */
const SHARED = {
  event: { ...jsonSchemasOf(CloudEventEnvelope.omit({ type: true, subject: true, data: true }), "input") },
  effect: { ...jsonSchemasOf(effectEnvelope, "output") },
};

function jsonSchemasOf({ shape }: z.ZodObject, io: "input" | "output"): Record<string, Json> {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, jsonSchema(schema as z.ZodType, io)]));
}

const sharedName = (prefix: keyof typeof SHARED, attribute: string): string =>
  prefix + attribute.slice(0, 1).toUpperCase() + attribute.slice(1);

/** The payload, with references to what it shares with others. */
function payloadOf(prefix: keyof typeof SHARED, schema: z.ZodObject, io: "input" | "output"): Json {
  const whole = jsonSchema(schema, io);
  const properties = Object.fromEntries(
    Object.entries(whole["properties"] as Json).map(([name, property]) => [
      name,
      name in SHARED[prefix] ? { $ref: `#/components/schemas/${sharedName(prefix, name)}` } : property,
    ]),
  );
  return { ...whole, properties };
}

function sharedSchemas(): Json {
  const named = (Object.keys(SHARED) as (keyof typeof SHARED)[]).flatMap((prefix) =>
    Object.entries(SHARED[prefix]).map(([attribute, schema]) => [sharedName(prefix, attribute), schema] as const),
  );
  return Object.fromEntries(named);
}

/** The payload without what Gatehouse itself sets on acceptance. */
function dataOf({ type, data }: EventDefinition): z.ZodObject {
  return type === "account.switched" ? data.omit({ role: true }) : data;
}

function eventMessage(definition: EventDefinition): Json {
  const { type, meaning, emitters, scope } = definition;
  const data = dataOf(definition);
  const mayBeLeftOut = data.safeParse({}).success;
  const payload = CloudEventEnvelope.extend({
    type: z.literal(type),
    subject: scope === "user" ? anySubject : sessionSubject,
    data: mayBeLeftOut ? data.optional() : data,
  });
  return {
    name: type,
    title: type,
    summary: meaning,
    description: `Of the ${scope}; reported by: ${emitters.join(", ")}. At most ${LIMITS.eventBytes / 1024} KiB.`,
    contentType: EVENT_MEDIA_TYPE,
    payload: payloadOf("event", payload, "input"),
  };
}

function effectMessage(type: string, { kind, meaning, data }: (typeof EFFECTS)[keyof typeof EFFECTS]): Json {
  const payload = effectEnvelope.extend({
    type: z.literal(CLOUD_EVENT_TYPE_PREFIX + type),
    kind: z.literal(kind).describe(KINDS[kind]),
    data,
  });
  return {
    name: CLOUD_EVENT_TYPE_PREFIX + type,
    title: type,
    summary: meaning,
    description: KINDS[kind],
    contentType: EVENT_MEDIA_TYPE,
    headers: { $ref: "#/components/schemas/webhookHeaders" },
    payload: payloadOf("effect", payload, "output"),
  };
}

/** Names in the document: letters and digits alone, so that generators can make identifiers of them. */
const nameOf = (type: string): string => type.replaceAll(/\.(\w)/g, (_, first: string) => first.toUpperCase());

const refs = (to: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `${to}/${name}` }]));

const webhookHeaders = z.object({
  "webhook-id": z.string().describe("the effect's id: tells repetitions"),
  "webhook-timestamp": z.string().describe("seconds since 1970, of this attempt"),
  "webhook-signature": z
    .string()
    .describe("Standard Webhooks: `v1,<base64>`, several with spaces while a secret is rotated"),
  traceparent: z.string().optional().describe("of this attempt, if the effect has one"),
});

export function asyncApiDocument(): Json {
  const events = [...EVENTS.values()].filter(({ emitters }) => emitters.length > 0);
  const eventMessages = Object.fromEntries(events.map((event) => [nameOf(event.type), eventMessage(event)]));
  const effectMessages = Object.fromEntries(
    Object.entries(EFFECTS).map(([type, effect]) => [`${type}Effect`, effectMessage(type, effect)]),
  );
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Gatehouse",
      version: "1",
      description:
        "Events in, effects out, both as CloudEvents 1.0. Events go to the HTTP API, one by one, in batches or as a stream; " +
        "effects come as signed webhooks, each until it is acknowledged. What else the API does is in its OpenAPI document.",
    },
    defaultContentType: EVENT_MEDIA_TYPE,
    servers: {
      api: {
        host: "{host}",
        protocol: "https",
        description: "The HTTP API, `gatehouse serve`",
        variables: { host: { default: "gatehouse.example", description: "Where the API is served" } },
        security: [{ $ref: "#/components/securitySchemes/apiKey" }],
      },
    },
    channels: {
      events: {
        address: "/v1/events",
        title: "Events",
        description:
          "What happened, in order of time for each device. Sending an event again with the same `source` and `id` does no harm.",
        servers: [{ $ref: "#/servers/api" }],
        messages: refs("#/components/messages", Object.keys(eventMessages)),
      },
      effects: {
        address: null,
        title: "Effects",
        description:
          "The webhook endpoint that the receiver registered. An effect may come more than once, with the same id, and out of order.",
        messages: refs("#/components/messages", Object.keys(effectMessages)),
      },
    },
    operations: {
      takeEvents: {
        action: "receive",
        channel: { $ref: "#/channels/events" },
        title: "Report events",
        summary: "Each event is accepted, a duplicate, a conflict, or refused with the reason.",
        bindings: { http: { method: "POST" } },
        messages: Object.keys(eventMessages).map((name) => ({ $ref: `#/channels/events/messages/${name}` })),
      },
      sendEffects: {
        action: "send",
        channel: { $ref: "#/channels/effects" },
        title: "Deliver effects",
        summary: "Tried until the receiver answers 2xx, or the schedule is spent.",
        bindings: { http: { method: "POST" } },
        messages: Object.keys(effectMessages).map((name) => ({ $ref: `#/channels/effects/messages/${name}` })),
      },
    },
    components: {
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "An API key with the scope `emit`: `gatehouse keys create`",
        },
      },
      schemas: { ...sharedSchemas(), webhookHeaders: jsonSchema(webhookHeaders, "output") },
      messages: { ...eventMessages, ...effectMessages },
    },
  };
}
