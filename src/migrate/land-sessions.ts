/**
 * Whether every stored session would land in a version of the machine: each is brought there, and folded on to now. Nothing is written; what
 * would not land is found before a release is rolled out, and not by whoever is locked out.
 */
import { advance } from "../../machines/advance.js";
import { policiesOf } from "../../machines/fold-batch.js";
import { type ChartRunner, SESSION_CHART } from "../../machines/session/chart-runner.js";
import { type MachineVersion, THIS_MACHINE } from "../../machines/session/machine-versions.js";
import { decodeSession, snapshotVersion } from "../../machines/session/snapshot.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import type { RulesSource } from "../control/rules-source.js";
import { readEntry } from "../ingest/inbox-body.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { readState } from "../store/partition-view.js";

/** Where sessions are to land. */
export interface Landing {
  readonly machine: MachineVersion;
  readonly chart: ChartRunner;
}

export const THIS_RELEASE: Landing = { machine: THIS_MACHINE, chart: SESSION_CHART };

export interface NotLanded {
  /** Or its key, if not even that can be read. */
  readonly session: SessionId;
  readonly partition: number;
  /** Of the machine that wrote it; absent: it names none. */
  readonly version?: number;
  readonly why: string;
}

/** Of one partition, or of several together. */
export interface Landed {
  /** Sessions that are stored, by the machine version that wrote them. */
  readonly versions: Readonly<Record<number, number>>;
  readonly notLandedCount: number;
  /** The first ones. */
  readonly notLanded: readonly NotLanded[];
}

/** Sessions read at a time. */
const PAGE = 500;
const MOST_NAMED = 1_000;

/** @throws StoreUnavailableError, CatalogueMissingError */
export async function landSessions(
  { store, rules }: { readonly store: PartitionStore; readonly rules: RulesSource },
  partition: number,
  { machine, chart }: Landing,
): Promise<Landed> {
  const { now, state, entries } = await store.peek(partition, BROADCAST);
  const { policies } = readState(state);
  const published = entries.map(readEntry).filter((entry) => entry.kind === "publish");
  await rules.prepare(policies, published);
  const versions: Record<number, number> = {};
  const notLanded: NotLanded[] = [];
  // A scan may give a session twice.
  const seen = new Set<SessionId>();
  let from: string | null = null;
  do {
    const { snapshots, next }: Awaited<ReturnType<PartitionStore["scan"]>> = await store.scan(partition, from, PAGE);
    for (const text of snapshots) {
      const version = snapshotVersion(text);
      const id = idOf(text);
      if (seen.has(id)) continue;
      seen.add(id);
      if (version !== undefined) versions[version] = (versions[version] ?? 0) + 1;
      const fails = (why: string): void => {
        notLanded.push({ session: id, partition, ...(version !== undefined && { version }), why });
      };
      let session: Session;
      try {
        session = decodeSession(text, machine);
      } catch (error) {
        fails((error as Error).message);
        continue;
      }
      if (session.quarantine !== undefined) continue;
      const tenantPolicies = { ...policiesOf(policies, session.id, rules.rulesOf), chart };
      const { quarantine } = advance(session, Math.max(now, session.asOf), tenantPolicies, () => 0);
      if (quarantine !== undefined) fails(`it is set aside on its way to now: ${quarantine.reason}`);
    }
    from = next;
  } while (from !== null);
  return { versions, notLandedCount: notLanded.length, notLanded: notLanded.slice(0, MOST_NAMED) };
}

function idOf(text: string): SessionId {
  try {
    const { id } = JSON.parse(text) as { readonly id?: unknown };
    if (typeof id === "string") return id;
  } catch {
    // Shown as it is, below.
  }
  return text.slice(0, 80);
}

export function mergeLanded(all: readonly Landed[]): Landed {
  const versions: Record<number, number> = {};
  for (const landed of all) {
    for (const [version, n] of Object.entries(landed.versions)) {
      versions[Number(version)] = (versions[Number(version)] ?? 0) + n;
    }
  }
  return {
    versions,
    notLandedCount: all.reduce((sum, { notLandedCount }) => sum + notLandedCount, 0),
    notLanded: all.flatMap(({ notLanded }) => notLanded).slice(0, MOST_NAMED),
  };
}
