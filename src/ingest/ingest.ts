/**
 * Takes events in: each valid one is appended to its partition's inbox, and whoever drains a partition that was at rest
 * is woken. One bad event never costs a good one.
 */
import { MAX_APPENDS, type PartitionStore } from "../store/partition-store.js";
import { StoreUnavailableError } from "../errors.js";
import { fingerprint, partitionOf, sessionKey } from "../store/session-key.js";
import { type AcceptedEvent, acceptEvent } from "./accept.js";
import { eventBody } from "./inbox-body.js";
import type { Refusal } from "./refusal.js";

/** Asks for a partition to be drained. A hint: losing it costs latency alone. */
export type Wake = (partition: number) => void;

/** What became of one event. An account switch concerns two sessions, so its worst answer counts: unknown, conflict, accepted, duplicate. */
export type IngestResult =
  | { readonly status: "accepted" }
  /** It was accepted before. */
  | { readonly status: "duplicate" }
  /** Another event with the same source and id was accepted before; this one was not stored. */
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly refusal: Refusal }
  /** The store did not answer; it may have been accepted. Sending it again is safe. */
  | { readonly status: "unknown"; readonly error: StoreUnavailableError };

export interface IngestReport {
  /** One for each event, in order. */
  readonly results: readonly IngestResult[];
  /** For each event, in order, the answers for the sessions that it concerns: two for a switch between two accounts, else one. */
  readonly answers: readonly (readonly IngestResult[])[];
  /** How many answers there are of each kind. They add up: sent = accepted + duplicate + conflict + refused + unknown. */
  readonly totals: IngestTotals;
}

export interface IngestTotals {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  readonly unknown: number;
}

export const NO_TOTALS: IngestTotals = { sent: 0, accepted: 0, duplicate: 0, conflict: 0, refused: 0, unknown: 0 };

/** What was counted, and these answers. */
export function addAnswers(totals: IngestTotals, answers: readonly (readonly IngestResult[])[]): IngestTotals {
  const sum: { -readonly [Name in keyof IngestTotals]: number } = { ...totals };
  for (const several of answers) {
    for (const { status } of several) {
      sum.sent++;
      sum[status]++;
    }
  }
  return sum;
}

type Unknown = Extract<IngestResult, { status: "unknown" }>;

interface Addressed {
  readonly index: number;
  readonly event: AcceptedEvent;
}

/**
 * @param inputs events as producers sent them, parsed from JSON; order within a device is kept
 * @param tenant the caller's tenant
 */
export async function ingest(
  store: PartitionStore,
  wake: Wake,
  tenant: string,
  inputs: readonly unknown[],
): Promise<IngestReport> {
  const answers: IngestResult[][] = inputs.map(() => []);
  const byPartition = new Map<number, Addressed[]>();
  inputs.forEach((input, index) => {
    const acceptance = acceptEvent(input, tenant);
    if ("refusal" in acceptance) {
      answers[index]?.push({ status: "refused", refusal: acceptance.refusal });
      return;
    }
    for (const event of acceptance.events) {
      const partition = partitionOf(tenant, event.device, store.deployment.partitionCount);
      const group = byPartition.get(partition);
      if (group === undefined) byPartition.set(partition, [{ index, event }]);
      else group.push({ index, event });
    }
  });

  await Promise.all(
    [...byPartition].map(async ([partition, addressed]) => {
      // One after the other: a device's events keep their order.
      let unsent: Unknown | undefined;
      for (let from = 0; from < addressed.length; from += MAX_APPENDS) {
        const some = addressed.slice(from, from + MAX_APPENDS);
        // After an append in doubt nothing more of the partition is sent: sent again, the earlier events would come later.
        const appended = unsent ?? (await append(store, wake, tenant, partition, some));
        some.forEach(({ index }, n) =>
          answers[index]?.push("error" in appended ? appended : (appended[n] as IngestResult)),
        );
        if ("error" in appended) unsent ??= notSent(appended.error);
      }
    }),
  );
  return report(answers);
}

async function append(
  store: PartitionStore,
  wake: Wake,
  tenant: string,
  partition: number,
  addressed: readonly Addressed[],
): Promise<readonly IngestResult[] | Unknown> {
  try {
    const appended = await store.ingest(
      partition,
      addressed.map(({ event }) => {
        const body = eventBody(event);
        return {
          session: sessionKey(event.session),
          body,
          time: event.time,
          fingerprint: fingerprint(tenant, event.source, event.id, body),
        };
      }),
    );
    if (appended.wake) wake(partition);
    return appended.results.map(({ status }) => ({ status }));
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return { status: "unknown", error };
  }
}

function notSent(cause: StoreUnavailableError): Unknown {
  const error = new StoreUnavailableError("not sent, because an earlier append to the same partition failed", {
    cause,
    outcomeUnknown: false,
  });
  return { status: "unknown", error };
}

/** The answer that says most of what the caller must know: what is in doubt or refused counts before what went well. */
const WORST_FIRST = ["unknown", "refused", "conflict", "accepted", "duplicate"] as const;

function report(answers: readonly (readonly IngestResult[])[]): IngestReport {
  const results = answers.map((several) =>
    several.reduce((one, other) => (WORST_FIRST.indexOf(other.status) < WORST_FIRST.indexOf(one.status) ? other : one)),
  );
  return { results, answers, totals: addAnswers(NO_TOTALS, answers) };
}
