/**
 * The boundary: one event from outside becomes one event for each session that it names, one about a user, or a refusal. Nothing
 * behind this is validated again.
 */
import { EVENTS, OUTSIDE_EVENT_TYPES, type SessionEvent } from "../../machines/events/catalogue.js";
import type { Emitter } from "../../machines/events/define-event.js";
import type { SessionId } from "../../machines/session/session.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { type UserEvent, isUserEvent } from "../../machines/users/user-record.js";
import { CloudEventEnvelope, type Subject, isSubject, parseSubject } from "./cloud-event.js";
import { closestName } from "./closest-name.js";
import { inspectJson } from "./inspect-json.js";
import { type Refusal, jsonPointer } from "./refusal.js";
import { type TraceParent, isTraceParent } from "../tracing/trace-parent.js";

/** A valid event, addressed to one session. */
export interface AcceptedEvent {
  readonly session: SessionId;
  readonly device: string;
  readonly event: SessionEvent;
  readonly source: string;
  readonly id: string;
  /** Producer's time, epoch ms. */
  readonly time: number;
  /** Where the producer's trace goes on. */
  readonly traceparent?: TraceParent;
}

/** A valid event about a user, and so about every session of the user. */
export interface AcceptedUserEvent {
  readonly user: string;
  /** The device that it was reported of, among whose events it keeps its place. */
  readonly device?: string;
  readonly event: UserEvent;
  readonly source: string;
  readonly id: string;
  /** Producer's time, epoch ms. */
  readonly time: number;
}

export type Acceptance =
  | { readonly events: readonly AcceptedEvent[] }
  | { readonly userEvent: AcceptedUserEvent }
  | { readonly refusal: Refusal };

/**
 * @param input anything: what a producer sent, parsed from JSON
 * @param tenant the caller's tenant, which an event can't choose
 * @param emitters whose events the caller may report; absent: everybody's
 */
export function acceptEvent(input: unknown, tenant: string, emitters?: readonly Emitter[]): Acceptance {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return refuse("event.not_an_object", "", "not a JSON object", "Send one CloudEvent 1.0 as a JSON object.");
  }
  const forbidden = inspectJson(input);
  if (forbidden !== undefined) return { refusal: forbidden };

  const envelope = CloudEventEnvelope.safeParse(input);
  if (!envelope.success) return { refusal: invalid(envelope.error.issues) };
  const { type, data = {}, subject, source, id, time, traceparent } = envelope.data;

  if (envelope.data.tenant !== undefined && envelope.data.tenant !== tenant) {
    return refuse(
      "tenant.mismatch",
      "/tenant",
      "another tenant than the caller's",
      "Leave `tenant` out: it follows from who calls.",
    );
  }
  const definition = EVENTS.get(type);
  if (definition === undefined) {
    return /^(xstate|done|error)\./.test(type)
      ? refuse("event.type_reserved", "/type", "a type that the machine keeps for itself", typeHelp(type))
      : refuse("event.type_unknown", "/type", "not a type of event that Gatehouse knows", typeHelp(type));
  }
  if (definition.emitters.length === 0) {
    return refuse("event.type_reserved", "/type", "an event that Gatehouse makes itself", typeHelp(type));
  }
  if (emitters !== undefined && !definition.emitters.some((emitter) => emitters.includes(emitter))) {
    return refuse(
      "event.source_not_allowed",
      "/type",
      "an event that this caller may not report",
      `It is reported by: ${definition.emitters.join(", ")}. This caller may report what comes from: ${emitters.join(", ")}.`,
    );
  }
  const payload = definition.data.safeParse(data);
  if (!payload.success) return { refusal: invalid(payload.error.issues, ["data"]) };

  const producedAt = Date.parse(time);
  if (!(producedAt >= 0)) {
    return refuse(
      "event.invalid",
      "/time",
      "a time before 1970",
      "Send the producer's time in UTC or with its offset.",
    );
  }

  const base = { source, id, time: producedAt };
  const to = (addressee: Subject, event: SessionEvent, idSuffix = ""): AcceptedEvent => ({
    ...base,
    session: `${tenant}/${addressee.device}/${addressee.user}/${addressee.app}`,
    device: addressee.device,
    event,
    id: id + idSuffix,
    ...(isTraceParent(traceparent) && { traceparent }),
  });
  const event = { type, ...payload.data } as SessionEvent;
  if (!isSubject(subject)) {
    return isUserEvent(event)
      ? { userEvent: { ...base, user: canonicalId(subject), event } }
      : refuse("event.invalid", "/subject", "names no device", "Send `device/user` or `device/user/app`.");
  }
  const named = parseSubject(subject);
  if (isUserEvent(event)) return { userEvent: { ...base, user: named.user, device: named.device, event } };
  return event.type === "account.switched" ? switched(event, named, to) : { events: [to(named, event)] };
}

/** A switch is one fact about two sessions: the account that was left, and the one that is shown. */
function switched(
  event: Extract<SessionEvent, { type: "account.switched" }>,
  named: Subject,
  to: (addressee: Subject, event: SessionEvent, idSuffix: string) => AcceptedEvent,
): Acceptance {
  if (event.role !== undefined) {
    return refuse(
      "event.invalid",
      "/data/role",
      "set by Gatehouse itself",
      "Leave `role` out; say fromAccountId and toAccountId.",
    );
  }
  const { fromAccountId, toAccountId } = event;
  const account = (id: string): Subject => ({ ...named, user: canonicalId(id) });
  if (fromAccountId === undefined && toAccountId === undefined) {
    return refuse(
      "event.invalid",
      "/data",
      "neither fromAccountId nor toAccountId",
      "Name the account that was left, the one that is shown, or both.",
    );
  }
  return {
    events: [
      ...(fromAccountId === undefined ? [] : [to(account(fromAccountId), { ...event, role: "from" }, "#from")]),
      ...(toAccountId === undefined ? [] : [to(account(toAccountId), { ...event, role: "to" }, "#to")]),
    ],
  };
}

function refuse(code: Refusal["code"], path: string, message: string, fix: string): Acceptance {
  return { refusal: { code, path, message, fix } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string;
  readonly keys?: readonly string[];
}

/** Zod's first issue, with the path of the field at fault; its messages name what was expected, never what came. */
function invalid(issues: readonly Issue[], prefix: readonly string[] = []): Refusal {
  const [issue] = issues;
  if (issue === undefined) throw new Error("a failed parse has issues");
  const unknownKey = issue.code === "unrecognized_keys" ? issue.keys?.[0] : undefined;
  const path = jsonPointer([...prefix, ...issue.path, ...(unknownKey === undefined ? [] : [unknownKey])]);
  return unknownKey === undefined
    ? {
        code: "event.invalid",
        path,
        message: issue.message,
        fix: `Correct ${path || "the event"}; docs/events.md lists every field.`,
      }
    : {
        code: "event.invalid",
        path,
        message: "not a field of this event",
        fix: `Leave ${path} out; unknown fields are refused.`,
      };
}

function typeHelp(type: string): string {
  const near = closestName(type, OUTSIDE_EVENT_TYPES);
  const hint = near === undefined ? "" : `Did you mean ${near}? `;
  return `${hint}Types: ${OUTSIDE_EVENT_TYPES.join(", ")}.`;
}
