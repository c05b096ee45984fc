/** What both clients offer: the one that talks HTTP, and the one that shares Gatehouse's Redis. */
import type { Decision } from "../../machines/decision.js";
import type { StoreUnavailableError } from "../errors.js";
import type { IngestTotals } from "../ingest/ingest.js";
import type { ApiUnavailableError } from "./errors.js";
import type { GatehouseEvent } from "./event.js";

export interface Asked {
  readonly device: string;
  readonly user: string;
  /** Default `azure-mobile`. */
  readonly app?: string;
  /** Of the message for the person: a tag such as `de` or `pt-BR`. */
  readonly language?: string;
}

/** Why an event was not taken, without the value that was wrong. */
export interface EventRefusal {
  /** Stable; docs/errors.md lists them. */
  readonly code: string;
  /** JSON pointer into the event; `""` is the event itself. */
  readonly path: string;
  readonly message: string;
  /** What would be taken. */
  readonly fix: string;
}

/** What became of one event. */
export type EmitResult = {
  /** The event's own, or the one that the client made. */
  readonly id: string;
} & (
  | { readonly status: "accepted" }
  /** It was accepted before. */
  | { readonly status: "duplicate" }
  /** Another event with the same source and id was accepted before; this one was not stored. */
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly refusal: EventRefusal }
  /** It may have been accepted, or not. Sending it again with this id is safe. */
  | { readonly status: "unknown"; readonly error: StoreUnavailableError | ApiUnavailableError }
);

export interface EmitReport {
  /** One for each event, in order. */
  readonly results: readonly EmitResult[];
  /** How many results there are of each kind. They add up: sent = accepted + duplicate + conflict + refused + unknown. */
  readonly totals: IngestTotals;
}

export interface GatehouseClient {
  /**
   * Resolves when every event has an answer: `accepted` (stored: on disk, if Redis is set so), `duplicate`, `conflict`, `refused` with a
   * reason, or `unknown` if there was no answer. Events of one device keep their order: within a call always; over calls that are not
   * awaited, with the HTTP client alone.
   * @throws StoreUnavailableError if Redis was not there to begin with: then nothing was sent (direct client)
   * @throws ApiRefusedError if the API refused the request as a whole: the key, its scope, the address (HTTP client)
   * @throws ClientOverflowError, ClientClosedError: nothing was sent (HTTP client)
   */
  emit(events: GatehouseEvent | readonly GatehouseEvent[]): Promise<EmitReport>;
  /** May this user open corporate data there now? Never rejects: every doubt is a `deny`, with the reason. */
  decide(asked: Asked): Promise<Decision>;
  /** Decides for many at once, in the order of what was asked. Never rejects. */
  decideMany(asked: readonly Asked[]): Promise<readonly Decision[]>;
  /** Sends at once what is queued; resolves when everything emitted before has its answer. Never rejects: each `emit` has its own answer. */
  flush(): Promise<void>;
  /** Delivers what is queued, then ends the connections. The client is of no use afterwards. */
  close(): Promise<void>;
}

/** The report on these results. */
export function toReport(results: readonly EmitResult[]): EmitReport {
  const totals = { sent: results.length, accepted: 0, duplicate: 0, conflict: 0, refused: 0, unknown: 0 };
  for (const { status } of results) totals[status]++;
  return { results, totals };
}
