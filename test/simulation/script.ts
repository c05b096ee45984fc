/**
 * What a run is made of: what people do, and what goes wrong meanwhile. A seed gives a script; a failing one can be made shorter, kept in a
 * file, and run again. Everything that a script leaves open, such as how long a message travels, follows from its seed.
 */
import type { SessionEvent } from "../../machines/events/catalogue.js";
import { Random } from "../../src/demo/random.js";
import { CONTENTS, PARTITIONS, SESSIONS } from "./world.js";

export const WORKERS = ["worker-0", "worker-1", "worker-2"] as const;
export const APIS = ["api-0", "api-1"] as const;
export type ProcessName = (typeof WORKERS)[number] | (typeof APIS)[number];

/** Calls that processes make, by the names under which faults find them. */
const WORKER_CALLS = ["load", "commit", "chunk", "survey", "outbox", "effects", "acknowledge", "deliver"] as const;
const API_CALLS = ["ingest", "peek", "change", "join", "sessionsOf", "readMany", "toldAll", "note", "publish"] as const;
export type CallName = (typeof WORKER_CALLS)[number] | (typeof API_CALLS)[number] | "handOver" | "due" | "read";

/** Something that somebody does, so many ms after the run began. */
export type Action =
  /** Tells what happened in a session: events that are drawn as the session stands then, or, in a script that was played, these. */
  | {
      readonly at: number;
      readonly do: "tell";
      readonly session: number;
      readonly api: number;
      readonly draws: readonly number[];
      readonly events?: readonly SessionEvent[];
      /** So much earlier it was by the producer's clock, ms. */
      readonly lateMs?: number;
    }
  /** Asks for access. */
  | { readonly at: number; readonly do: "ask"; readonly session: number; readonly api: number }
  /** Publishes the content of this number. */
  | { readonly at: number; readonly do: "publish"; readonly content: number; readonly api: number }
  /** Nothing happens for a while: every clock goes on by so much. */
  | { readonly at: number; readonly do: "wait"; readonly ms: number };

/** Something that goes wrong: at a time, or at the nth call of this name that the process makes. */
export type Fault =
  | { readonly kind: "crash" | "pause"; readonly at: number; readonly process: ProcessName; readonly ms: number }
  | {
      readonly kind: "requestsCut" | "repliesCut";
      readonly at: number;
      readonly process: ProcessName;
      readonly ms: number;
    }
  /** A partition's last so many writes are gone; the clock of the server that takes over is so much behind. */
  | {
      readonly kind: "failover";
      readonly at: number;
      readonly partition: number;
      readonly lost: number;
      readonly backMs: number;
    }
  /** The server's clock is set back, and is right again after a while. */
  | { readonly kind: "clockBack"; readonly at: number; readonly backMs: number; readonly ms: number }
  | { readonly kind: "hintsLost" | "hintsDoubled" | "receiverDown"; readonly at: number; readonly ms: number }
  | (AtCall & { readonly kind: "lost" | "refused" | "replyLost" | "twice" })
  | (AtCall & { readonly kind: "late"; readonly ms: number })
  /** The server fails over while the commit is under way to it: its partition's last so many writes are gone before it arrives, so much later. */
  | (AtCall & { readonly kind: "failoverDuring"; readonly lost: number; readonly ms: number })
  | (AtCall & { readonly kind: "crashBefore" | "crashAfter" | "pauseBefore" | "pauseAfter"; readonly ms: number });

export type FaultKind = Fault["kind"];

interface AtCall {
  readonly process: ProcessName;
  readonly call: CallName;
  /** Counted from 1 over the process's whole life, restarts included. */
  readonly nth: number;
}

export type CallFault = Extract<Fault, AtCall>;
export type TimedFault = Exclude<Fault, CallFault>;

export const isCallFault = (fault: Fault): fault is CallFault => "call" in fault;

export interface Script {
  readonly seed: number;
  /**
   * `oracle`: devices say what the hand-written oracle knows, under one policy. `wide`: everything that can be said, under policies
   * that change.
   */
  readonly life: "oracle" | "wide";
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
}

/** When the last action and the last fault begin at the latest, ms. */
const LENGTH_MS = 30_000;
const MINUTE_MS = 60_000;
/** Largest number that an event is drawn with, and one more. */
const DRAWS = 1_000_000;

export function scriptOf(seed: number): Script {
  const random = new Random(seed, "deck");
  const life = seed % 4 === 0 ? "oracle" : "wide";
  const actions = drawActions(random, life);
  return { seed, life, actions, faults: drawFaults(random) };
}

function drawActions(random: Random, life: Script["life"]): Action[] {
  const at = (): number => random.between(0, LENGTH_MS);
  const api = (): number => random.between(0, APIS.length - 1);
  // A few sessions are busier than the others.
  const session = (): number =>
    Math.min(random.between(0, SESSIONS.length - 1), random.between(0, SESSIONS.length - 1));
  const actions: Action[] = [];
  for (let n = random.between(150, 260); n > 0; n--) {
    const draws = Array.from({ length: random.chance(0.3) ? random.between(2, 5) : 1 }, () =>
      random.between(0, DRAWS - 1),
    );
    const isLate = life === "wide" && random.chance(0.05);
    actions.push({
      at: at(),
      do: "tell",
      session: session(),
      api: api(),
      draws,
      ...(isLate && { lateMs: random.between(1, 5 * MINUTE_MS) }),
    });
  }
  for (let n = random.between(50, 110); n > 0; n--)
    actions.push({ at: at(), do: "ask", session: session(), api: api() });
  for (let n = random.between(2, 8); n > 0; n--)
    actions.push({
      at: at(),
      do: "wait",
      ms: life === "oracle" ? random.between(1, 60_000) : random.between(1_000, 8 * MINUTE_MS),
    });
  if (life === "wide")
    for (let n = random.between(1, 5); n > 0; n--)
      actions.push({
        at: n === 1 ? 0 : at(),
        do: "publish",
        content: random.between(0, CONTENTS.length - 1),
        api: api(),
      });
  return actions.toSorted((one, other) => one.at - other.at);
}

function drawFaults(random: Random): Fault[] {
  const at = (): number => random.between(500, LENGTH_MS);
  const worker = (): ProcessName => random.pick(WORKERS);
  const process = (): ProcessName => (random.chance(0.7) ? worker() : random.pick(APIS));
  const faults: Fault[] = [];
  const some = (least: number, most: number, fault: () => Fault): void => {
    for (let n = random.between(least, most); n > 0; n--) faults.push(fault());
  };
  some(0, 3, () => ({ kind: "crash", at: at(), process: process(), ms: random.between(100, 4_000) }));
  some(0, 4, () => ({ kind: "pause", at: at(), process: process(), ms: random.between(50, 6_000) }));
  some(0, 2, () => ({
    kind: random.pick(["requestsCut", "repliesCut"] as const),
    at: at(),
    process: process(),
    ms: random.between(200, 3_000),
  }));
  if (random.chance(0.6))
    some(1, 4, () => ({
      kind: "failover",
      at: at(),
      partition: random.between(0, PARTITIONS - 1),
      lost: random.between(1, random.chance(0.7) ? 4 : 40),
      backMs: random.chance(0.6) ? random.between(1_000, 5 * MINUTE_MS) : 0,
    }));
  some(0, 2, () => ({
    kind: "clockBack",
    at: at(),
    backMs: random.between(100, 5 * MINUTE_MS),
    ms: random.between(1_000, 10_000),
  }));
  some(0, 3, () => ({ kind: "hintsLost", at: at(), ms: random.between(200, 5_000) }));
  some(0, 3, () => ({ kind: "hintsDoubled", at: at(), ms: random.between(200, 5_000) }));
  some(0, 2, () => ({ kind: "receiverDown", at: at(), ms: random.between(200, 5_000) }));
  // A server whose clock stands still gives the same ids again after a failover.
  if (random.chance(0.35)) {
    const begins = random.between(500, LENGTH_MS / 2);
    faults.push({ kind: "clockBack", at: begins, backMs: 10 * MINUTE_MS, ms: random.between(5_000, 20_000) });
    some(3, 8, () => {
      const place = { process: worker(), call: "commit", nth: random.between(5, 110) } as const;
      return {
        kind: "failoverDuring",
        ...place,
        lost: random.chance(0.7) ? 1 : random.between(2, 3),
        ms: random.between(50, 1_800),
      };
    });
  }
  some(10, 34, () => callFault(random));
  return faults;
}

function callFault(random: Random): CallFault {
  const isWorker = random.chance(0.7);
  const process = isWorker ? random.pick(WORKERS) : random.pick(APIS);
  // What writes is where things go wrong.
  const call: CallName = random.chance(0.5)
    ? isWorker
      ? "commit"
      : "ingest"
    : random.pick(isWorker ? WORKER_CALLS : API_CALLS);
  const place = {
    process,
    call,
    nth: random.between(1, call === "commit" || call === "load" || call === "ingest" ? 120 : 25),
  };
  const kind = random.pick([
    "lost",
    "refused",
    "replyLost",
    "replyLost",
    "twice",
    "late",
    "late",
    "crashBefore",
    "crashAfter",
    "pauseBefore",
    "pauseBefore",
    "pauseAfter",
  ] as const);
  switch (kind) {
    case "late":
      return { kind, ...place, ms: random.between(5, random.chance(0.5) ? 400 : 8_000) };
    case "crashBefore":
    case "crashAfter":
    case "pauseBefore":
    case "pauseAfter":
      return { kind, ...place, ms: random.between(20, random.chance(0.5) ? 600 : 5_000) };
    default:
      return { kind, ...place };
  }
}
