/**
 * `gatehouse/testing/fast-check`: events by chance, for a backend's own properties. They are made from the catalogue's own schemas, so
 * every one of them is an event that Gatehouse accepts.
 */
import fc from "fast-check";
import { z } from "zod";
import {
  EVENTS,
  OUTSIDE_EVENT_TYPES,
  type SessionEvent,
  type SessionEventOf,
} from "../../machines/events/catalogue.js";
import type { GatehouseEvent, OutsideEventType } from "../client/event.js";
import { after, type Happening } from "./happening.js";
import { fromJsonSchema, type JsonSchema } from "./from-json-schema.js";

/** Types that somebody outside reports. */
export type ReportedType = OutsideEventType;

/** An event as it is reported: what a client emits, with its id. */
export type ReportedEvent = GatehouseEvent & { readonly id: string };

const payloads = new Map<string, fc.Arbitrary<Readonly<Record<string, unknown>>>>();

function payloadOf(type: string): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  let payload = payloads.get(type);
  if (payload === undefined) {
    const definition = EVENTS.get(type);
    if (definition === undefined || definition.emitters.length === 0) {
      throw new Error(`nobody reports ${JSON.stringify(type)}; types: ${OUTSIDE_EVENT_TYPES.join(", ")}`);
    }
    const schema = z.toJSONSchema(definition.data, { io: "input" }) as JsonSchema;
    payload = fromJsonSchema(schema) as fc.Arbitrary<Readonly<Record<string, unknown>>>;
    payloads.set(type, payload);
  }
  return payload;
}

/**
 * Events of one type, with any payload that its schema allows, as specifications take them.
 *
 * @example
 * fc.property(eventOf("posture.reported"), (report) => !givenSession(rules(), signedIn()).when(report)…)
 * @throws Error if nobody outside reports the type
 */
export function eventOf<Type extends ReportedType>(type: Type): fc.Arbitrary<SessionEventOf<Type>> {
  const isSwitch = type === "account.switched";
  return payloadOf(type).chain((data) =>
    // Which of the two accounts a session is, Gatehouse itself works out from whose session it is.
    (isSwitch && data["role"] === undefined ? fc.constantFrom("from", "to") : fc.constant(undefined)).map(
      (role) => ({ type, ...data, ...(role !== undefined && { role }) }) as never,
    ),
  );
}

/** Events of any type that is reported; `types`: of these alone. */
export function sessionEvents(types: readonly ReportedType[] = REPORTED_TYPES): fc.Arbitrary<SessionEvent> {
  return fc.oneof(...types.map((type) => eventOf(type) as fc.Arbitrary<SessionEvent>));
}

const REPORTED_TYPES = OUTSIDE_EVENT_TYPES as readonly ReportedType[];

/**
 * Histories of one session for `givenSession`: it begins with a sign-in, and time goes by between events.
 * @param maxLength events at most
 */
export function sessionHistory({ maxLength = 30 } = {}): fc.Arbitrary<readonly Happening[]> {
  const moment = fc.tuple(gapMs, sessionEvents()).map(([ms, event]): readonly Happening[] => [after({ ms }), event]);
  return fc
    .tuple(eventOf("account.signedIn"), fc.array(moment, { maxLength }))
    .map(([signIn, moments]) => [signIn, ...moments.flat()]);
}

const HOUR_MS = 3_600_000;
const gapMs = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 60_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: HOUR_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 48 * HOUR_MS }) },
);

/**
 * Streams of CloudEvents of several sessions, as a client emits them: ids are unique, times ascend, each session's first event is its
 * sign-in.
 * @param sessions how many; default 3
 * @param length events at most, sign-ins included, or exactly `{ min, max }`; default 50
 */
export function eventStream({
  sessions = 3,
  length = 50,
}: {
  readonly sessions?: number;
  readonly length?: number | { readonly min: number; readonly max: number };
} = {}): fc.Arbitrary<readonly ReportedEvent[]> {
  const { min, max } = typeof length === "number" ? { min: 0, max: length } : length;
  if (!(sessions >= 1 && min >= 0 && max >= min)) {
    throw new RangeError(
      `${sessions} sessions, ${min} to ${max} events: give at least one session, and min before max`,
    );
  }
  const moment = fc.record({
    of: fc.nat(sessions - 1),
    gap: gapMs,
    event: sessionEvents(),
    signIn: eventOf("account.signedIn"),
  });
  return fc.array(moment, { minLength: min, maxLength: max, size: "max" }).map((moments) => {
    const begun = new Set<number>();
    let now = STREAM_START_MS;
    return moments.map(({ of, gap, event, signIn }, n) => {
      now += gap;
      const isFirst = !begun.has(of);
      begun.add(of);
      return reported(isFirst ? signIn : event, {
        device: `phone-${of + 1}`,
        user: `user-${of + 1}`,
        id: String(n + 1),
        at: now,
      });
    });
  });
}

const STREAM_START_MS = Date.UTC(2025, 2, 10, 8);

/**
 * An event as the CloudEvent that reports it.
 * @param to whose it is, its id, and its time in epoch ms
 */
export function reported(
  event: SessionEvent,
  { device = "phone-1", user = "user-1", id = "1", at = STREAM_START_MS } = {},
): ReportedEvent {
  const { type, ...payload } = event;
  return {
    specversion: "1.0",
    id,
    source: "https://app.contoso.example",
    type,
    subject: `${device}/${user}`,
    time: new Date(at).toISOString(),
    data: event.type === "account.switched" ? switchData(event, user) : payload,
  } as ReportedEvent;
}

/** Producers name the accounts; which of the two a session is follows from that. */
function switchData({ type: _, role, ...data }: SessionEventOf<"account.switched">, user: string) {
  if (role === "from") return { ...data, fromAccountId: user };
  return role === "to" || data.fromAccountId === undefined ? { ...data, toAccountId: user } : data;
}
