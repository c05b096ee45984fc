/** A person in archived files: their records become tombstones there, too, and they go from the checkpoints. */
import type { JournalRecord } from "../../machines/outcome.js";
import { list, partitionDirectory } from "../archive/archive-layout.js";
import { readCheckpoint, writeCheckpoint } from "../archive/checkpoint-file.js";
import { JournalArchive } from "../archive/journal-archive.js";
import { changing } from "../archive/open-to-write.js";
import { type EncodedBlock, Segment, encodeBlock, writeSegment } from "../archive/segment-file.js";
import { bodyHash, isTombstone } from "../store/journal-chain.js";
import type { JournalEntry } from "../store/partition-store.js";
import { partitionOf } from "../store/session-key.js";
import { type ErasureScope, erasedPart, isTheirs, nameNeedles, sessionNeedle } from "./scope.js";

/** How long another writer is waited for. */
const WAIT_MS = 5 * 60_000;

/**
 * Whoever archives meanwhile is waited for: what it read before the person was erased in Redis is in the files then.
 * @param removes `false`: what would go is counted alone
 * @param at epoch ms
 * @returns records and snapshots
 * @throws ArchiveForeignError, ArchiveBusyError, ArchiveFileError, ArchiveDamagedError; what was removed until then stays so
 */
export async function eraseArchived(
  directory: string,
  scope: ErasureScope,
  { removes, at = Date.now() }: { readonly removes: boolean; readonly at?: number },
): Promise<number> {
  if (!removes) return eraseIn(await JournalArchive.open(directory), scope, undefined);
  return changing(directory, async (archive) => eraseIn(archive, scope, at), WAIT_MS);
}

/** @param at when, epoch ms; `undefined`: nothing is written */
async function eraseIn(archive: JournalArchive, scope: ErasureScope, at: number | undefined): Promise<number> {
  const { tenant, device } = scope;
  const partitions =
    device === undefined ? await archive.partitions() : [partitionOf(tenant, device, archive.about.partitionCount)];
  let erased = 0;
  for (const partition of partitions) {
    const home = partitionDirectory(archive.directory, partition);
    const { forks } = await list(home);
    for (const directory of [home, ...forks.map((fork) => fork.directory)]) {
      const { segments, checkpoints } = await list(directory);
      for (const { file } of segments) erased += await eraseInSegment(directory, file, scope, at);
      for (const { file } of checkpoints) erased += await eraseInCheckpoint(directory, file, scope, at);
    }
  }
  return erased;
}

async function eraseInSegment(
  directory: string,
  file: string,
  scope: ErasureScope,
  at: number | undefined,
): Promise<number> {
  const segment = await Segment.open(file);
  const needles = nameNeedles(scope);
  const changed = new Map<number, EncodedBlock>();
  let erased = 0;
  for (const [number, { before, from, to }] of segment.index.blocks.entries()) {
    const entries = await segment.block(number);
    const left = entries.map((entry) => withoutThem(entry, scope, needles, at ?? 0));
    const hits = left.filter((entry, n) => entry !== entries[n]).length;
    if (hits === 0) continue;
    erased += hits;
    if (at !== undefined) changed.set(number, await encodeBlock(left, before, { from, to }));
  }
  if (changed.size === 0) return erased;
  const blocks: EncodedBlock[] = [];
  for (const number of segment.index.blocks.keys()) blocks.push(changed.get(number) ?? (await segment.encoded(number)));
  await writeSegment(directory, segment.index.partition, blocks, true);
  return erased;
}

function withoutThem(entry: JournalEntry, scope: ErasureScope, needles: readonly string[], at: number): JournalEntry {
  if (isTombstone(entry) || !needles.some((needle) => entry.body.includes(needle))) return entry;
  const part = erasedPart(scope, JSON.parse(entry.body) as JournalRecord);
  if (part === undefined) return entry;
  return { seq: entry.seq, bodyHash: bodyHash(entry.body), hash: entry.hash, erasedAt: at, ...part };
}

async function eraseInCheckpoint(
  directory: string,
  file: string,
  scope: ErasureScope,
  at: number | undefined,
): Promise<number> {
  const checkpoint = await readCheckpoint(file);
  const needle = sessionNeedle(scope);
  const left = [...checkpoint.snapshots].filter(
    ([, snapshot]) => !snapshot.includes(needle) || !isTheirs(scope, /"id":"([^"]+)"/.exec(snapshot)?.[1]),
  );
  const erased = checkpoint.snapshots.size - left.length;
  if (erased > 0 && at !== undefined) {
    const { partition, takenAt } = checkpoint;
    await writeCheckpoint(directory, partition, { ...checkpoint, snapshots: new Map(left) }, takenAt, true);
  }
  return erased;
}
