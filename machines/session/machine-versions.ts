/**
 * Versions of the machine. Each snapshot names the one that wrote it. An older one is brought to this release's, one migration after the other;
 * a newer one is refused: what it means is not guessed.
 */
import { AFTER_TIMERS } from "./after-timers.js";
import { MACHINE_VERSION } from "./chart.js";
import { STATES } from "./context.js";
import { DEADLINES } from "./deadlines.js";
import type { Session } from "./session.js";

/** A session as another version left it: its state, facts and deadlines are that version's. */
export interface PastSession extends Omit<Session, "state" | "facts"> {
  readonly state: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * From one version to the next: where the session rests there, with which facts and deadlines. Pure. It throws what keeps a session from
 * landing; that session is then denied, and `gatehouse migrate --dry-run` names it beforehand.
 */
export type Migration = (session: PastSession) => PastSession;

export interface MachineVersion {
  readonly version: number;
  /** Where its sessions rest. */
  readonly states: ReadonlySet<string>;
  /** Ids of its deadlines. */
  readonly timers: ReadonlySet<string>;
  /** By the version they begin with: from there to the one after it. */
  readonly migrations: ReadonlyMap<number, Migration>;
}

/** This release's. Version 1 is the first, so nothing is there to be migrated yet. */
export const THIS_MACHINE: MachineVersion = {
  version: MACHINE_VERSION,
  states: new Set<string>(STATES),
  timers: new Set([...DEADLINES, ...AFTER_TIMERS].map(({ id }) => id)),
  migrations: new Map(),
};

/**
 * Brings a session from `version` to the machine's.
 * @throws Error that says why it does not land
 */
export function migrated(session: PastSession, version: number, machine: MachineVersion): Session {
  let past = session;
  for (let from = version; from < machine.version; from++) {
    const migrate = machine.migrations.get(from);
    if (migrate === undefined) throw new Error(`no migration leads from machine version ${from} to ${from + 1}`);
    try {
      past = migrate(past);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`the migration from machine version ${from} to ${from + 1} failed: ${words}`, { cause: error });
    }
  }
  if (!machine.states.has(past.state)) throw new Error(`machine version ${machine.version} has no state ${past.state}`);
  // A deadline that nobody answers would be dropped in silence when it passes.
  const unknown =
    version === machine.version ? undefined : Object.keys(past.timers).find((id) => !machine.timers.has(id));
  if (unknown !== undefined) throw new Error(`machine version ${machine.version} has no deadline ${unknown}`);
  return past as Session;
}

/** Whether a snapshot of that version can be read: it is this one, or migrations lead here. */
export function isKnown(version: number, { version: own, migrations }: MachineVersion): boolean {
  if (!Number.isSafeInteger(version) || version > own) return false;
  for (let from = version; from < own; from++) if (!migrations.has(from)) return false;
  return true;
}
