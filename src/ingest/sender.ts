/**
 * Sends a long stream of events in order, chunk by chunk, and outlives a Redis that goes away and comes back: what got no
 * answer is sent again, and only then what follows it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { GatehouseError } from "../errors.js";
import { type IngestResult, type IngestTarget, type IngestTotals, NO_TOTALS, addAnswers, ingest } from "./ingest.js";
import type { Refusal } from "./refusal.js";

/** Events in one chunk: enough to keep every partition busy, few enough to hold in memory and to send again. */
export const CHUNK_EVENTS = 2_000;

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;

/** One element of the stream: an event, or what could not even be read as one. `place` says where it stands, ascending. */
export type Outgoing =
  { readonly place: number; readonly input: unknown } | { readonly place: number; readonly refusal: Refusal };

export interface SenderOptions {
  /** How long to go on trying when nothing gets an answer, in ms. */
  readonly retryForMs: number;
  /** Hears of each event that was not taken in because of what it is. */
  readonly onNotTaken?: (place: number, problem: Refusal | "conflict") => void;
  /** Hears when the store stops answering, and when it answers again. */
  readonly onOutage?: (outage: "began" | "ended") => void;
}

/** The store did not answer for too long. What was sent is counted in `totals`; sending all of it again is safe. */
export class SendingStoppedError extends GatehouseError {
  readonly code = "emit.stopped";
  readonly retryable = true;

  constructor(
    /** Place of the first event that got no answer: everything before it is settled. */
    readonly resumeFrom: number,
    cause: unknown,
  ) {
    super("Redis did not answer for too long", { cause, fix: "Check that Redis runs and can be reached, then go on." });
  }
}

type Event = Extract<Outgoing, { readonly input: unknown }>;

interface Waiting {
  readonly event: Event;
  readonly answers: readonly IngestResult[];
}

export class Sender {
  private sum: IngestTotals = NO_TOTALS;
  private taken = 0;
  private readonly notTaken: { readonly place: number; readonly problem: Refusal | "conflict" }[] = [];

  constructor(
    private readonly target: IngestTarget,
    private readonly tenant: string,
    private readonly options: SenderOptions,
  ) {}

  /** One count for each session that an event concerns. `unknown` is above zero only after a {@link SendingStoppedError}. */
  get totals(): IngestTotals {
    return this.sum;
  }

  /**
   * Of those counted as accepted, how many are so because their answer was lost and they were there afterwards. One that somebody had sent
   * before looks the same: it is a duplicate, and only the store's counters can tell.
   */
  get takenForAccepted(): number {
    return this.taken;
  }

  /**
   * Sends every chunk, each when the one before it is settled; the next is read meanwhile.
   * @throws SendingStoppedError
   */
  async sendAll(chunks: AsyncIterable<readonly Outgoing[]> | Iterable<readonly Outgoing[]>): Promise<void> {
    let underWay: Promise<void> = Promise.resolve();
    for await (const chunk of chunks) {
      await underWay;
      underWay = this.send(chunk);
      // Awaited at the next turn; until then a failure is not an unhandled one.
      underWay.catch(() => undefined);
    }
    await underWay;
  }

  /** @throws SendingStoppedError */
  async send(chunk: readonly Outgoing[]): Promise<void> {
    try {
      await this.sendUntilSettled(chunk);
    } finally {
      // In the order of the stream, whenever each was settled.
      this.notTaken.sort((one, other) => one.place - other.place);
      for (const { place, problem } of this.notTaken.splice(0)) this.options.onNotTaken?.(place, problem);
    }
  }

  private async sendUntilSettled(chunk: readonly Outgoing[]): Promise<void> {
    let waiting: readonly Waiting[] = chunk.flatMap((one) => {
      if ("input" in one) return { event: one, answers: [] };
      this.settle(one.place, [{ status: "refused", refusal: one.refusal }]);
      return [];
    });
    let givesUpAt: number | undefined;
    for (let pauseMs = RETRY_MIN_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS)) {
      const before = waiting.length;
      waiting = await this.attempt(waiting);
      const [first] = waiting;
      if (first === undefined) break;
      if (givesUpAt === undefined) this.options.onOutage?.("began");
      if (givesUpAt === undefined || waiting.length < before) givesUpAt = performance.now() + this.options.retryForMs;
      if (performance.now() + pauseMs > givesUpAt) {
        for (const { answers } of waiting) this.sum = addAnswers(this.sum, [answers]);
        const unknown = first.answers.find(({ status }) => status === "unknown");
        throw new SendingStoppedError(first.event.place, unknown?.status === "unknown" ? unknown.error : undefined);
      }
      await delay(pauseMs);
    }
    if (givesUpAt !== undefined) this.options.onOutage?.("ended");
  }

  /** @returns what got no answer, in order */
  private async attempt(waiting: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { answers } = await ingest(
      this.target,
      this.tenant,
      waiting.map(({ event }) => event.input),
    );
    return waiting.flatMap(({ event, answers: before }, index) => {
      const merged = (answers[index] ?? []).map((answer, n) => {
        const known = answerOf(before[n], answer);
        if (before[n]?.status === "unknown" && known !== answer && known.status === "accepted") this.taken++;
        return known;
      });
      if (merged.some(({ status }) => status === "unknown")) return { event, answers: merged };
      this.settle(event.place, merged);
      return [];
    });
  }

  private settle(place: number, answers: readonly IngestResult[]): void {
    this.sum = addAnswers(this.sum, [answers]);
    for (const answer of answers) {
      if (answer.status === "refused") this.notTaken.push({ place, problem: answer.refusal });
      if (answer.status === "conflict") this.notTaken.push({ place, problem: "conflict" });
    }
  }
}

/** What is known after sending again: the first answer counts, and who finds an event there whose answer was lost had put it there. */
function answerOf(before: IngestResult | undefined, now: IngestResult): IngestResult {
  if (before === undefined) return now;
  if (before.status !== "unknown") return before;
  // That nothing could be sent meanwhile does not make the earlier call any less likely to have been carried out.
  if (now.status === "unknown") return before.error.outcomeUnknown ? before : now;
  return now.status === "duplicate" && before.error.outcomeUnknown ? { status: "accepted" } : now;
}
