/**
 * Writes a partition's older sessions as this machine version has them, beside running workers: each step is an ordinary fenced commit. Whoever
 * reads an older session brings it here by itself; this is for those that nothing touches, so that a later release need not know the old version.
 */
import { type MachineVersion, THIS_MACHINE } from "../../machines/session/machine-versions.js";
import { SnapshotError, decodeSession, encodeSession, snapshotVersion } from "../../machines/session/snapshot.js";
import { stateName } from "../../machines/session/context.js";
import { earliestTimer } from "../../machines/session/session.js";
import type { PartitionStore, SessionKey } from "../store/partition-store.js";
import { randomToken } from "../store/random-token.js";

/** Sessions a step. */
const CHUNK = 200;

/**
 * @returns how many sessions were written; those that do not land stay as they are
 * @throws StoreUnavailableError
 */
export async function migratePartition(
  store: PartitionStore,
  partition: number,
  machine: MachineVersion = THIS_MACHINE,
): Promise<number> {
  let written = 0;
  let position: string | null = null;
  for (;;) {
    const chunk: Awaited<ReturnType<typeof store.chunk>> = await store.chunk(partition, position, CHUNK);
    const snapshots = new Map<SessionKey, string>();
    const timers = new Map<SessionKey, number | null>();
    const counters: Record<string, number> = {};
    for (const [key, text] of chunk.snapshots) {
      const version = snapshotVersion(text);
      if (version === undefined || version >= machine.version) continue;
      try {
        const session = decodeSession(text, machine);
        snapshots.set(key, encodeSession(session, machine.version));
        timers.set(key, earliestTimer(session));
        const was = stateName((JSON.parse(text) as { readonly s: Parameters<typeof stateName>[0] }).s);
        const is = stateName(session.state);
        if (was === is) continue;
        counters[`in.${was}`] = (counters[`in.${was}`] ?? 0) - 1;
        counters[`in.${is}`] = (counters[`in.${is}`] ?? 0) + 1;
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
      }
    }
    if (snapshots.size > 0) {
      const { status } = await store.commit(partition, {
        token: chunk.token,
        nextToken: randomToken(),
        last: null,
        clock: chunk.clock,
        snapshots,
        timers,
        consumed: new Map(),
        records: [],
        effects: [],
        counters,
      });
      // A worker committed first: the same chunk once more.
      if (status === "stale") continue;
      written += snapshots.size;
    }
    if (chunk.next === null) return written;
    position = chunk.next;
  }
}
