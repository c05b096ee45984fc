/** Events as a backend writes them: their types follow from the schemas of the catalogue, so the compiler knows every field. */
import type { EventType, SessionEventOf } from "../../machines/events/catalogue.js";
import type { EventOf } from "../../machines/events/define-event.js";
import type * as timers from "../../machines/events/timers.js";

/** Events that the fold itself makes are refused from outside. */
type OwnEventType =
  | EventOf<(typeof timers)[keyof typeof timers]>["type"]
  | "policy.changed"
  | "assignment.changed"
  | "user.changed"
  | "session.retired"
  | "quarantine.lifted"
  | "quarantine.dropped";

/** Types that may be reported from outside. */
export type OutsideEventType = Exclude<EventType, OwnEventType>;

type DataOf<Type extends OutsideEventType> = Omit<
  SessionEventOf<Type>,
  "type" | (Type extends "account.switched" ? "role" : never)
>;

/** An event as a CloudEvent 1.0. `source` and `id` together are what makes it the same event when it is sent again. */
export type GatehouseEvent = { [Type in OutsideEventType]: EventEnvelope<Type> }[OutsideEventType];

type EventEnvelope<Type extends OutsideEventType> = {
  readonly specversion: "1.0";
  /** Left out: the client makes one, which the result tells. What your own process may send twice, it should name itself. */
  readonly id?: string;
  /** Who reports it: a URI reference. */
  readonly source: string;
  readonly type: Type;
  /** The session: `device/user` or `device/user/app`. Of an event about a user, `user` is enough. */
  readonly subject: string;
  /** When it happened, by your clock: RFC 3339. */
  readonly time: string;
  readonly datacontenttype?: "application/json";
  readonly traceparent?: string;
  readonly tracestate?: string;
} & (Record<never, never> extends DataOf<Type> ? { readonly data?: DataOf<Type> } : { readonly data: DataOf<Type> });

/** The event with an id. */
export const identified = <Event extends { readonly id?: string }>(event: Event): Event & { readonly id: string } => ({
  ...event,
  id: event.id ?? crypto.randomUUID(),
});
