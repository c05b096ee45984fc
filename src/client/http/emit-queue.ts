/**
 * Events on their way to the API. Those emitted within a moment share a request; what gets no answer is sent again, with the same ids;
 * and a later event of a device never leaves while an earlier one is under way, so that sending again reorders nothing.
 */
import { type EmitReport, type EmitResult, toReport } from "../client.js";
import { ApiUnavailableError, ClientClosedError, ClientOverflowError } from "../errors.js";
import { type GatehouseEvent, identified } from "../event.js";
import type { Api } from "./api.js";
import { type BatchAnswer, readBatchAnswer } from "./emit-answer.js";
import { lanesOf } from "./lanes.js";
import type { HttpSettings } from "./options.js";
import { retryDelayMs } from "./retry-delay.js";

/** A request takes 1 MiB; the rest is for brackets and commas. */
const MAX_BATCH_BYTES = 1_000_000;

/** Of all events that are held as JSON. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** One call of `emit`. */
interface Call {
  readonly results: EmitResult[];
  left: number;
  error?: Error;
  readonly settle: () => void;
}

interface Item {
  readonly call: Call;
  readonly place: number;
  readonly id: string;
  readonly lanes: readonly string[];
  /** As JSON. */
  readonly text: string;
  readonly bytes: number;
  /** By performance.now(). */
  readonly takenOverAt: number;
}

/** Sent once at least. */
interface Batch {
  readonly items: readonly Item[];
  readonly firstSentAt: number;
  readonly tries: number;
  /** The last reason why it has to be sent again. */
  readonly error?: ApiUnavailableError;
  /** Some try may have arrived. */
  readonly isInDoubt: boolean;
  /** By performance.now(). */
  readonly notBefore: number;
}

/** What a call still has to hand over. */
interface Remainder {
  readonly call: Call;
  readonly events: readonly (GatehouseEvent & { readonly id: string })[];
  next: number;
  /** Lanes of which an earlier event was given up meanwhile. */
  readonly spoilt: Set<string>;
}

export class EmitQueue {
  /** Taken over and not sent yet, in order. */
  #queue: Item[] = [];
  /** For which there was no room yet, in order. */
  #waiting: Remainder[] = [];
  /** To be sent again, in no order: they share no lane. */
  #resting: Batch[] = [];
  /** Lanes of what is under way or resting. */
  readonly #busyLanes = new Set<string>();
  readonly #calls = new Set<Promise<EmitReport>>();
  #held = 0;
  #heldBytes = 0;
  #underway = 0;
  /** The API did not answer so often in a row. */
  #failures = 0;
  #pausedUntil = 0;
  #lastAnswerAt = 0;
  #linger: NodeJS.Timeout | undefined;
  #nextTurn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly api: Api,
    private readonly settings: HttpSettings,
  ) {}

  async emit(given: readonly GatehouseEvent[]): Promise<EmitReport> {
    if (this.#isClosed) {
      throw new ClientClosedError("the client was closed", { fix: "Create another one, or close it later." });
    }
    const { overflow, maxQueued } = this.settings;
    if (overflow === "reject" && (this.#waiting.length > 0 || this.#held + given.length > maxQueued)) {
      throw new ClientOverflowError(
        `${this.#held} events wait for their answer, ${given.length} more would be over ${maxQueued}`,
        { fix: "Emit them again later, raise `maxQueued`, or await each `emit`; nothing of this call was sent." },
      );
    }
    if (given.length === 0) return toReport([]);
    const answered = this.#enter(given.map(identified));
    this.#calls.add(answered);
    return answered.finally(() => this.#calls.delete(answered));
  }

  async flush(): Promise<void> {
    this.#send();
    await Promise.allSettled(this.#calls);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  async #enter(events: Remainder["events"]): Promise<EmitReport> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        results: [],
        left: events.length,
        settle: () => (call.error === undefined ? resolve(toReport(call.results)) : reject(call.error)),
      };
      this.#waiting.push({ call, events, next: 0, spoilt: new Set() });
      this.#takeOver();
      this.#sendSoon();
    });
  }

  /** Fills the room there is, in order. From here on the caller's objects are not looked at again. */
  #takeOver(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const { call, events } = first;
      while (first.next < events.length) {
        if (this.#held >= this.settings.maxQueued || this.#heldBytes >= MAX_HELD_BYTES) return;
        const place = first.next++;
        const event = events[place] as Remainder["events"][number];
        const lanes = lanesOf(event);
        if (isFollower(lanes, first.spoilt)) {
          this.#answer(call, place, { id: event.id, status: "unknown", error: notSent() });
          continue;
        }
        const text = toJson(event);
        if (text === undefined) {
          this.#answer(call, place, { id: event.id, status: "refused", refusal: NOT_JSON });
          continue;
        }
        const bytes = Buffer.byteLength(text);
        this.#held++;
        this.#heldBytes += bytes;
        this.#queue.push({ call, place, id: event.id, lanes, text, bytes, takenOverAt: performance.now() });
      }
      this.#waiting.shift();
    }
  }

  /** A full batch goes when this turn of the event loop is over, anything less when it has lingered. */
  #sendSoon(): void {
    const { batchEvents, lingerMs } = this.settings;
    if (lingerMs === 0 || this.#queue.length >= batchEvents) this.#nextTurn ??= setImmediate(() => this.#send());
    else this.#linger ??= setTimeout(() => this.#send(), lingerMs);
  }

  /** Sends what may be sent now, and comes back when more may be. */
  #send(): void {
    clearTimeout(this.#linger);
    clearImmediate(this.#nextTurn);
    clearTimeout(this.#timer);
    this.#linger = undefined;
    this.#nextTurn = undefined;
    const now = performance.now();
    this.#giveUpLate(now);
    while (this.#underway < this.settings.maxRequests && now >= this.#pausedUntil) {
      const batch = this.#rested(now) ?? this.#compose(now);
      if (batch === undefined) break;
      void this.#try(batch);
    }
    const wakeAt = this.#nextAt(now);
    if (wakeAt !== undefined) this.#timer = setTimeout(() => this.#send(), Math.max(1, Math.ceil(wakeAt - now)));
  }

  /** When something changes by time alone; `undefined`: an answer brings the next change. */
  #nextAt(now: number): number | undefined {
    const times = this.#resting.map((batch) =>
      Math.min(Math.max(batch.notBefore, this.#pausedUntil), this.#triedUntil(batch)),
    );
    const [oldest] = this.#queue;
    if (oldest !== undefined && this.#pausedUntil > now) {
      times.push(Math.min(this.#pausedUntil, this.#unsentUntil(oldest)));
    }
    // With every request under way, something rested has to wait for an answer all the same.
    const isBusy = this.#underway >= this.settings.maxRequests;
    return isBusy || times.length === 0 ? undefined : Math.min(...times);
  }

  #rested(now: number): Batch | undefined {
    const at = this.#resting.findIndex(({ notBefore }) => notBefore <= now);
    return at < 0 ? undefined : this.#resting.splice(at, 1)[0];
  }

  /** The next events whose lanes are free; an event that must wait keeps those behind it in its lanes waiting. */
  #compose(now: number): Batch | undefined {
    const items: Item[] = [];
    const left: Item[] = [];
    const blocked = new Set<string>();
    let bytes = 0;
    let looked = 0;
    for (; looked < this.#queue.length && items.length < this.settings.batchEvents; looked++) {
      const item = this.#queue[looked] as Item;
      if (item.lanes.some((lane) => this.#busyLanes.has(lane) || blocked.has(lane))) {
        for (const lane of item.lanes) blocked.add(lane);
        left.push(item);
        continue;
      }
      if (items.length > 0 && bytes + item.bytes > MAX_BATCH_BYTES) break;
      bytes += item.bytes + 1;
      items.push(item);
    }
    if (items.length === 0) return undefined;
    this.#queue = left.concat(this.#queue.slice(looked));
    this.#hold(items);
    return { items, firstSentAt: now, tries: 0, isInDoubt: false, notBefore: 0 };
  }

  async #try(batch: Batch): Promise<void> {
    this.#underway++;
    const { items } = batch;
    const leftMs = this.#triedUntil(batch) - performance.now();
    const answer = readBatchAnswer(
      await this.api.call({
        method: "POST",
        path: "v1/events",
        body: {
          text: `[${items.map(({ text }) => text).join(",")}]`,
          mediaType: "application/cloudevents-batch+json",
        },
        timeoutMs: Math.max(1, Math.ceil(Math.min(this.settings.requestTimeoutMs, leftMs))),
      }),
      items.length,
    );
    this.#underway--;
    this.#release(items);
    this.#settle(batch, answer);
    this.#takeOver();
    this.#send();
  }

  #settle(batch: Batch, answer: BatchAnswer): void {
    const { items } = batch;
    if (answer.kind === "refused") {
      for (const item of items) this.#fail(item, answer.error);
      return;
    }
    const now = performance.now();
    const isInDoubt = batch.isInDoubt || answer.isInDoubt;
    if (answer.kind === "again") {
      this.#again({ ...batch, isInDoubt, error: answer.error, notBefore: now + this.#pause(now, answer.retryAfterMs) });
      return;
    }
    const again = items.filter((item, n) => {
      const one = answer.answers[n];
      if (one === undefined || one.status === "again") return true;
      this.#done(item, { id: item.id, ...one });
      return false;
    });
    // If the store takes nothing at all, other events would fare no better.
    const isDown = answer.isInDoubt && again.length === items.length;
    if (!isDown) {
      this.#failures = 0;
      this.#lastAnswerAt = now;
    }
    if (again.length === 0) return;
    const delayMs = isDown ? this.#pause(now, answer.retryAfterMs) : retryDelayMs(batch.tries + 1, answer.retryAfterMs);
    const error = new ApiUnavailableError("the API could not take the event", { outcomeUnknown: isInDoubt });
    this.#again({ ...batch, items: again, isInDoubt, error, notBefore: now + delayMs });
  }

  /** Nothing is sent for a while. Requests that fail side by side are one failure. */
  #pause(now: number, retryAfterMs: number | undefined): number {
    if (now >= this.#pausedUntil) this.#failures++;
    const delayMs = retryDelayMs(this.#failures, retryAfterMs);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + delayMs);
    return delayMs;
  }

  /** Rests, with its lanes held, unless its time is over before it could be sent. */
  #again(batch: Batch): void {
    if (batch.notBefore >= this.#triedUntil(batch)) {
      this.#giveUp(batch);
      return;
    }
    this.#hold(batch.items);
    this.#resting.push({ ...batch, tries: batch.tries + 1 });
  }

  #hold(items: readonly Item[]): void {
    for (const { lanes } of items) for (const lane of lanes) this.#busyLanes.add(lane);
  }

  #release(items: readonly Item[]): void {
    for (const { lanes } of items) for (const lane of lanes) this.#busyLanes.delete(lane);
  }

  #triedUntil({ firstSentAt }: Batch): number {
    return firstSentAt + this.settings.giveUpAfterMs;
  }

  /** An event that was never sent is given up when it has waited that long, and for so long there was no answer at all. */
  #unsentUntil({ takenOverAt }: Item): number {
    return Math.max(takenOverAt, this.#lastAnswerAt) + this.settings.giveUpAfterMs;
  }

  #giveUpLate(now: number): void {
    const late = this.#resting.filter((batch) => this.#triedUntil(batch) <= now);
    if (late.length > 0) this.#resting = this.#resting.filter((batch) => !late.includes(batch));
    for (const batch of late) {
      this.#release(batch.items);
      this.#giveUp(batch);
    }
    const isLate = (item: Item | undefined): boolean => item !== undefined && this.#unsentUntil(item) <= now;
    // In the order in which they were taken over: if the first one is not late, nobody is.
    if (isLate(this.#queue[0])) {
      const unsent = this.#queue.filter(isLate);
      this.#queue = this.#queue.filter((item) => !isLate(item));
      for (const item of unsent) this.#done(item, { id: item.id, status: "unknown", error: notSent() });
      this.#giveUpFollowers(unsent);
    } else if (late.length === 0) return;
    this.#takeOver();
  }

  #giveUp({ items, error, isInDoubt }: Batch): void {
    const reason = new ApiUnavailableError(error?.message ?? "the API did not answer", {
      cause: error?.cause,
      outcomeUnknown: isInDoubt,
    });
    for (const item of items) this.#done(item, { id: item.id, status: "unknown", error: reason });
    this.#giveUpFollowers(items);
  }

  /** Sent by themselves they would overtake the earlier ones, which the caller is going to send again. */
  #giveUpFollowers(items: readonly Item[]): void {
    const spoilt = new Set(items.flatMap((item) => item.lanes));
    this.#queue = this.#queue.filter((item) => {
      if (!isFollower(item.lanes, spoilt)) return true;
      this.#done(item, { id: item.id, status: "unknown", error: notSent() });
      return false;
    });
    for (const remainder of this.#waiting) for (const lane of spoilt) remainder.spoilt.add(lane);
  }

  #done(item: Item, result: EmitResult): void {
    this.#held--;
    this.#heldBytes -= item.bytes;
    this.#answer(item.call, item.place, result);
  }

  #fail(item: Item, error: Error): void {
    item.call.error ??= error;
    this.#done(item, { id: item.id, status: "unknown", error: notSent() });
  }

  #answer(call: Call, place: number, result: EmitResult): void {
    call.results[place] = result;
    call.left--;
    if (call.left === 0) call.settle();
  }
}

const NOT_JSON = {
  code: "event.not_json",
  path: "",
  message: "can't be written as JSON",
  fix: "Leave out what JSON can't hold, such as a BigInt, and objects that contain themselves.",
} as const;

function toJson(event: object): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}

/** Whether it comes after something that was given up; then what comes after it does so too. */
function isFollower(lanes: readonly string[], spoilt: Set<string>): boolean {
  if (!lanes.some((lane) => spoilt.has(lane))) return false;
  for (const lane of lanes) spoilt.add(lane);
  return true;
}

const notSent = (): ApiUnavailableError =>
  new ApiUnavailableError("not sent: the API did not answer, or an earlier event of the same device is in doubt", {
    outcomeUnknown: false,
  });
