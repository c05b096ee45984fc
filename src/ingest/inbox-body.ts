/** What stands in an inbox entry: written here on acceptance, read by whoever folds. */
import type { Entry } from "../../machines/fold-batch.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import { firstOf } from "../store/entry-id.js";
import type { InboxEntry } from "../store/partition-store.js";
import type { AcceptedEvent } from "./accept.js";

/** Short names, since every event passes through: session, source, id, producer's time in epoch ms, the event. */
interface EventBody {
  readonly s: string;
  readonly o: string;
  readonly i: string;
  readonly t: number;
  readonly e: SessionEvent;
}

type Body =
  EventBody | { readonly publish: { readonly tenant: string; readonly version: number } } | { readonly clock: true };

export function eventBody({ session, source, id, time, event }: AcceptedEvent): string {
  return JSON.stringify({ s: session, o: source, i: id, t: time, e: event } satisfies EventBody);
}

export function publishBody(tenant: string, version: number): string {
  return JSON.stringify({ publish: { tenant, version } } satisfies Body);
}

/** Moves a partition's clock on, where the clock is the events' own. */
export const CLOCK_BODY = JSON.stringify({ clock: true } satisfies Body);

export function readEntry({ id, body }: InboxEntry): Entry {
  const at = firstOf(id);
  const stored = JSON.parse(body) as Body;
  if ("clock" in stored) return { kind: "clock", at };
  if ("publish" in stored) return { kind: "publish", ...stored.publish, at };
  return {
    kind: "event",
    session: stored.s,
    occurrence: { event: stored.e, at, origin: { source: stored.o, id: stored.i, time: stored.t, entry: id } },
  };
}
