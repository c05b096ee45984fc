/**
 * How a session is stored: one line of JSON that a person can read in `redis-cli`, small because a fleet has millions. What
 * nearly every session has is short or left out; everything else keeps its own name.
 */
import type { Posture } from "../policy/posture.js";
import { FACTS, newFacts, type SessionFacts } from "./context.js";
import { type MachineVersion, THIS_MACHINE, isKnown, migrated } from "./machine-versions.js";
import type { Session } from "./session.js";

/** The stored text is not a session of this machine version, nor of one that leads to it. */
export class SnapshotError extends Error {
  /** `version`: another version of the machine wrote it, and may read it. `corrupt`: nobody can. */
  constructor(
    readonly kind: "version" | "corrupt",
    message: string,
  ) {
    super(message);
    this.name = "SnapshotError";
  }
}

/**
 * Snapshot fields: `v` machine version, `id` session, `s` state, `r` revision, `j` last journal record, `t` as of (epoch ms), `h` rules
 * hash, `d` deadlines (ms after `t`), `x` last restriction (epoch ms), `q` quarantine, `f` facts. Times that nearly every session has
 * are told from `t`, in ms: digits that all have in common would be most of a snapshot.
 */
interface Stored {
  readonly v: number;
  readonly id: string;
  readonly s: string;
  readonly r: number;
  readonly j: number;
  readonly t: number;
  readonly h: string;
  readonly d: Readonly<Record<string, number>>;
  readonly x?: number;
  readonly q?: Session["quarantine"];
  readonly f: Readonly<Record<string, unknown>>;
}

/** Short names of facts that nearly every session has. Changing one is a change of the machine version. */
const SHORT_FACTS = new Map<string, string>([
  ["platform", "pf"],
  ["posture", "po"],
  ["pinProven", "pp"],
  ["credentialsProven", "cp"],
  ["lastCheckinAt", "ci"],
  ["backgroundedAt", "bg"],
  ["userVersion", "uv"],
]);
const SHORT_TIMERS = new Map<string, string>([
  ["offlineGrace", "og"],
  ["offlineWipe", "ow"],
  ["recheck", "re"],
  ["biometric", "bi"],
]);
const LONG_FACTS = inverse(SHORT_FACTS);
const LONG_TIMERS = inverse(SHORT_TIMERS);

/** Times among the facts that are stored as ms before `t`. */
const RELATIVE_FACTS: ReadonlySet<string> = new Set<keyof SessionFacts>(["lastCheckinAt", "backgroundedAt"]);

/** Facts that deadlines and limits are worked out from: one that is no number would switch its limit off in silence. */
const NUMBER_FACTS: ReadonlySet<string> = new Set<keyof SessionFacts>([
  "lastCheckinAt",
  "backgroundedAt",
  "shiftEndedAt",
  "shiftGraceMs",
  "retryAt",
  "failedAttempts",
  "userVersion",
]);

/** Facts of a session at work: left out when they are so, written (`null`: absent) when they are not. */
const USUAL_FACTS = { enrollment: "enrolled", licensed: true, introduced: true } as const;

interface FactCodec {
  readonly fact: keyof SessionFacts;
  readonly short: string;
  /** Left out when it is so. */
  readonly usual?: unknown;
  readonly pack?: (value: never, asOf: number) => unknown;
}

const sinceThen = (value: number, asOf: number): number => asOf - value;

/** Every fact, in one order. */
const FACT_CODECS: readonly FactCodec[] = FACTS.map((fact) => ({
  fact,
  short: SHORT_FACTS.get(fact) ?? fact,
  ...(fact in USUAL_FACTS && { usual: USUAL_FACTS[fact as keyof typeof USUAL_FACTS] }),
  ...(fact === "posture" && { pack: packPosture }),
  ...(fact === "pin" && { pack: packPin }),
  ...(RELATIVE_FACTS.has(fact) && { pack: sinceThen }),
}));

export function encodeSession(session: Session, version = THIS_MACHINE.version): string {
  const f: Record<string, unknown> = {};
  for (const { fact, short, usual, pack } of FACT_CODECS) {
    const value = session.facts[fact];
    if (usual !== undefined) {
      if (value !== usual) f[short] = value ?? null;
    } else if (value !== undefined) {
      f[short] = pack === undefined ? value : pack(value as never, session.asOf);
    }
  }
  const d: Record<string, number> = {};
  for (const id in session.timers) d[SHORT_TIMERS.get(id) ?? id] = (session.timers[id] as number) - session.asOf;
  const stored: Stored = {
    v: version,
    id: session.id,
    s: session.state,
    r: session.revision,
    j: session.lastRecord,
    t: session.asOf,
    h: session.rulesHash,
    d,
    ...(session.restrictedAt !== undefined && { x: session.restrictedAt }),
    ...(session.quarantine !== undefined && { q: session.quarantine }),
    f,
  };
  return JSON.stringify(stored);
}

/**
 * The session that a snapshot holds, as the machine's own version would have it.
 * @throws SnapshotError
 */
export function decodeSession(text: string, machine = THIS_MACHINE): Session {
  const stored = parse(text, machine);
  const facts = newFacts(USUAL_FACTS) as unknown as Record<string, unknown>;
  for (const short in stored.f) {
    const fact = LONG_FACTS.get(short) ?? short;
    const value = stored.f[short];
    if (NUMBER_FACTS.has(fact) && !Number.isSafeInteger(value)) {
      throw new SnapshotError("corrupt", `the fact ${fact} is not a whole number`);
    }
    facts[fact] =
      fact === "posture"
        ? unpackPosture(value)
        : fact === "pin"
          ? unpackPin(value, stored.t)
          : RELATIVE_FACTS.has(fact)
            ? stored.t - Number(value)
            : value === null
              ? undefined
              : value;
  }
  if ((facts["platform"] !== "ios" && facts["platform"] !== "android") || typeof facts["enrollment"] !== "string") {
    throw new SnapshotError("corrupt", "the snapshot's facts name no platform or enrollment");
  }
  const timers: Record<string, number> = {};
  for (const short in stored.d) timers[LONG_TIMERS.get(short) ?? short] = stored.t + (stored.d[short] as number);
  const session = {
    id: stored.id,
    state: stored.s,
    facts,
    timers,
    rulesHash: stored.h,
    revision: stored.r,
    lastRecord: stored.j,
    asOf: stored.t,
    restrictedAt: stored.x,
    ...(stored.q !== undefined && { quarantine: stored.q }),
  };
  try {
    return migrated(session, stored.v, machine);
  } catch (error) {
    throw new SnapshotError("corrupt", (error as Error).message);
  }
}

/** The machine version that wrote a snapshot; `undefined`: it names none. */
export function snapshotVersion(text: string): number | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    return isRecord(stored) && typeof stored["v"] === "number" ? stored["v"] : undefined;
  } catch {
    return undefined;
  }
}

function parse(text: string, machine: MachineVersion): Stored {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    throw new SnapshotError("corrupt", "the snapshot is not JSON");
  }
  if (!isRecord(stored)) throw new SnapshotError("corrupt", "the snapshot is not an object");
  const { v: version } = stored;
  if (typeof version !== "number") throw new SnapshotError("corrupt", "the snapshot names no machine version");
  // Another version's may have another shape, so this comes first.
  if (!isKnown(version, machine)) {
    throw new SnapshotError(
      "version",
      `machine version ${version} wrote the snapshot; this is version ${machine.version}`,
    );
  }
  const { id, s: state, r: revision, j: lastRecord, t: asOf, h: rulesHash, d: timers, x, q, f } = stored;
  const isSound =
    typeof id === "string" &&
    typeof state === "string" &&
    isCount(revision) &&
    isCount(lastRecord) &&
    isCount(asOf) &&
    typeof rulesHash === "string" &&
    isRecord(timers) &&
    Object.values(timers).every(Number.isSafeInteger) &&
    (x === undefined || isCount(x)) &&
    (q === undefined || isRecord(q)) &&
    isRecord(f);
  if (!isSound) throw new SnapshotError("corrupt", "the snapshot lacks a field, or one has another shape");
  return stored as unknown as Stored;
}

/** What every report has stands by position: OS, app, model, manufacturer, lock; then the rest by name. */
type PackedPosture = readonly [string, string, string, string, Posture["deviceLock"], Partial<Posture>?];

function packPosture({
  osVersion,
  appVersion,
  model,
  manufacturer,
  deviceLock,
  rooted,
  ...rest
}: Posture): PackedPosture {
  const others = rooted ? { rooted, ...rest } : rest;
  const head = [osVersion, appVersion, model, manufacturer, deviceLock] as const;
  return Object.keys(others).length === 0 ? head : [...head, others];
}

function unpackPosture(packed: unknown): Posture {
  if (!Array.isArray(packed) || packed.length < 5) throw new SnapshotError("corrupt", "the posture has another shape");
  const [osVersion, appVersion, model, manufacturer, deviceLock, others] = packed as unknown as PackedPosture;
  return { osVersion, appVersion, model, manufacturer, deviceLock, rooted: false, ...others };
}

/** Length, marks, when it was set (ms before `t`), and how many PINs ago it was used before, if it was. */
type PackedPin = readonly [number, string, number, number?];
type StoredPin = NonNullable<SessionFacts["pin"]>;

const PIN_MARKS = [
  ["hasDigit", "d"],
  ["hasLetter", "l"],
  ["hasSymbol", "y"],
  ["simple", "s"],
] as const;
const PASSCODE_MARK = "p";

function packPin(pin: StoredPin, asOf: number): PackedPin {
  const marks = PIN_MARKS.map(([name, mark]) => (pin[name] ? mark : "")).join("");
  const packed = [pin.length, pin.kind === "passcode" ? marks + PASSCODE_MARK : marks, asOf - pin.setAtMs] as const;
  return pin.matchesHistory === 0 ? packed : [...packed, pin.matchesHistory];
}

function unpackPin(packed: unknown, asOf: number): StoredPin {
  if (
    !Array.isArray(packed) ||
    packed.length < 3 ||
    !Number.isSafeInteger(packed[0]) ||
    !Number.isSafeInteger(packed[2])
  )
    throw new SnapshotError("corrupt", "the PIN's descriptor has another shape");
  const [length, marks, ageMs, matchesHistory = 0] = packed as unknown as PackedPin;
  return {
    length,
    kind: marks.includes(PASSCODE_MARK) ? "passcode" : "numeric",
    simple: marks.includes("s"),
    hasDigit: marks.includes("d"),
    hasLetter: marks.includes("l"),
    hasSymbol: marks.includes("y"),
    matchesHistory,
    setAtMs: asOf - ageMs,
  };
}

function inverse(map: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...map].map(([long, short]) => [short, long]));
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
