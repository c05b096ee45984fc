/**
 * What is between the processes and the server: time that messages take, and everything that may happen to them. And the processes
 * themselves, as far as they can be stopped: killed, with all that they had in hand, or paused, to go on later with what they knew then.
 */
import { createHash } from "node:crypto";
import { Random } from "../../src/demo/random.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { type CallFault, type CallName, type Fault, type FaultKind, type ProcessName, isCallFault } from "./script.js";
import type { VirtualTime } from "./virtual-time.js";

/** After so long a caller gives up waiting for an answer, as the store's connections do. */
const TIMEOUT_MS = 2_000;

/** One run of a process: what it had in hand when it is killed is nobody's. */
export class Process {
  isUp = true;
  /** How often it was started. */
  life = 1;
  #pausedUntil = 0;
  #waiting: (() => void)[] = [];
  readonly #calls = new Map<string, number>();

  constructor(
    readonly name: ProcessName,
    private readonly time: VirtualTime,
    /** Begins the process's work anew. */
    private readonly start: (process: Process) => void,
  ) {}

  begin(): void {
    this.isUp = true;
    this.start(this);
  }

  /** @param ms until it is started again */
  crash(ms: number): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.life++;
    this.#waiting = [];
    this.#pausedUntil = 0;
    this.time.after(ms, () => this.begin());
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.time.now + ms);
    this.time.at(this.#pausedUntil, () => this.#goOn());
  }

  /** Peace: it goes on at once. */
  resume(): void {
    this.#pausedUntil = 0;
    this.#goOn();
  }

  /** Does something in the process: now, or when it is awake again; never in a later life of it. */
  do(life: number, work: () => void): void {
    if (life !== this.life) return;
    if (this.time.now < this.#pausedUntil) this.#waiting.push(() => this.do(life, work));
    else work();
  }

  sleep(ms: number): Promise<void> {
    const { life } = this;
    return new Promise((resolve) => this.time.after(ms, () => this.do(life, resolve)));
  }

  /** @returns how often the call was made by now */
  count(call: string): number {
    const nth = (this.#calls.get(call) ?? 0) + 1;
    this.#calls.set(call, nth);
    return nth;
  }

  #goOn(): void {
    if (this.time.now < this.#pausedUntil) return;
    for (const work of this.#waiting.splice(0)) work();
  }
}

export interface NetworkOptions {
  readonly time: VirtualTime;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Fails a partition over. */
  readonly onFailover: (partition: number, lost: number) => void;
  /** Keeps the lines of the trace, which otherwise only its hash tells of. */
  readonly keepTrace: boolean;
}

export class Network {
  /** Off: nothing goes wrong any more. */
  isFaulty = true;
  readonly happened = new Map<FaultKind, number>();
  readonly lines: string[] = [];
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #faults = new Map<string, CallFault[]>();
  readonly #hash = createHash("sha256");
  readonly #keepTrace: boolean;
  readonly #onFailover: NetworkOptions["onFailover"];
  /** Until when messages of a process are cut, ms of the run. */
  readonly #cuts = new Map<string, number>();

  constructor({ time, seed, faults, onFailover, keepTrace }: NetworkOptions) {
    this.#onFailover = onFailover;
    this.#time = time;
    this.#random = new Random(seed, "wire");
    this.#keepTrace = keepTrace;
    for (const fault of faults) {
      if (!isCallFault(fault)) continue;
      const place = `${fault.process} ${fault.call} ${fault.nth}`;
      this.#faults.set(place, [...(this.#faults.get(place) ?? []), fault]);
    }
  }

  trace(what: string): void {
    const line = `${this.#time.now.toFixed(3)} ${what}\n`;
    this.#hash.update(line);
    if (this.#keepTrace) this.lines.push(line);
  }

  /** Of everything that happened, in its order. */
  traceHash(): string {
    return this.#hash.copy().digest("hex");
  }

  note(kind: FaultKind): void {
    this.happened.set(kind, (this.happened.get(kind) ?? 0) + 1);
  }

  cut(kind: "requestsCut" | "repliesCut", process: ProcessName, ms: number): void {
    this.#cuts.set(`${kind} ${process}`, this.#time.now + ms);
  }

  /** How long a message travels, ms: mostly little, so that what is late is late. */
  latency(): number {
    return this.#random.between(100, this.#random.chance(0.04) ? 40_000 : 2_000) / 1_000;
  }

  /** One of so many. */
  choose(count: number): number {
    return this.#random.between(0, count - 1);
  }

  /**
   * One call of the server.
   * @param carryOut makes it; may be made more than once, or never
   * @param partition that it is about, if it is about one
   * @param tell a few words on the answer, for the trace
   */
  async call<Answer>(
    process: Process,
    call: CallName,
    isWrite: boolean,
    carryOut: () => Promise<Answer>,
    partition?: unknown,
    tell: (answer: Answer) => string = () => "",
  ): Promise<Answer> {
    const { life } = process;
    const nth = process.count(call);
    const fault = this.isFaulty ? this.#faults.get(`${process.name} ${call} ${nth}`)?.[0] : undefined;
    const place = `${process.name} ${call} ${nth}`;
    if (fault !== undefined) {
      this.note(fault.kind);
      this.trace(`${place}: ${fault.kind}`);
    }
    const time = this.#time;
    return new Promise<Answer>((resolve, reject) => {
      const giveUp = (at: number, outcomeUnknown = isWrite): void =>
        time.at(at, () =>
          process.do(life, () => reject(new StoreUnavailableError(`${call} was not answered`, { outcomeUnknown }))),
        );
      const arrive = async (givesUpAt: number): Promise<void> => {
        let settle: () => void;
        try {
          let answer = await carryOut();
          if (fault?.kind === "twice") answer = await carryOut();
          this.trace(`${place} ${tell(answer)}`);
          settle = () => resolve(answer);
        } catch (error) {
          this.trace(`${place} failed: ${String(error)}`);
          settle = () => reject(error as Error);
        }
        if (fault?.kind === "crashAfter") process.crash(fault.ms);
        if (fault?.kind === "pauseAfter") process.pause(fault.ms);
        if (time.now > givesUpAt) return;
        if (fault?.kind === "replyLost" || this.#isCut("repliesCut", process)) giveUp(givesUpAt);
        else time.after(this.latency(), () => process.do(life, settle));
      };
      const send = (): void => {
        if (fault?.kind === "refused") return giveUp(time.now + this.latency(), false);
        const givesUpAt = time.now + TIMEOUT_MS;
        if (fault?.kind === "lost" || this.#isCut("requestsCut", process)) return giveUp(givesUpAt);
        if (fault?.kind === "failoverDuring") this.#onFailover(Number(partition), fault.lost);
        const travelsMs = this.latency() + (fault?.kind === "late" || fault?.kind === "failoverDuring" ? fault.ms : 0);
        if (travelsMs > TIMEOUT_MS) giveUp(givesUpAt);
        time.after(travelsMs, () => void arrive(givesUpAt));
      };
      if (fault?.kind === "crashBefore") return process.crash(fault.ms);
      if (fault?.kind === "pauseBefore") process.pause(fault.ms);
      process.do(life, send);
    });
  }

  #isCut(kind: "requestsCut" | "repliesCut", process: Process): boolean {
    return this.isFaulty && this.#time.now < (this.#cuts.get(`${kind} ${process.name}`) ?? 0);
  }
}
