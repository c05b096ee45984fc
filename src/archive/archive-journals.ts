/**
 * Brings an archive up to what the journals hold: new records into segments, now and then a checkpoint, and then a note in Redis, which is what
 * lets the journal be trimmed. Each step is whole or absent, and what comes next is read from the files themselves; so a run that was cut
 * short is gone on with by the next one.
 */
import { rm, stat } from "node:fs/promises";
import { GENESIS_HEAD, verifyChain } from "../store/journal-chain.js";
import type { JournalEntry, PartitionImage, PartitionStore, PartitionSurvey } from "../store/partition-store.js";
import { type PublishedCatalogues, archiveCatalogues } from "./archive-catalogues.js";
import { ArchiveDamagedError, ArchiveForeignError, ArchiveMovedError } from "./archive-errors.js";
import { list, partitionDirectory } from "./archive-layout.js";
import { writeCheckpoint } from "./checkpoint-file.js";
import type { JournalArchive, Tail } from "./journal-archive.js";
import { type ArchiveSource, writingTo } from "./open-to-write.js";
import { BLOCK_RECORDS, type EncodedBlock, Segment, encodeBlock, writeSegment } from "./segment-file.js";
import { type LostBranch, divergence, setAside } from "./set-aside.js";

/** Compressed bytes from which a segment is closed; until then the next run writes it anew, with what is new. */
export const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Records from one checkpoint to the next, and the age at which one is taken although there are fewer. */
export const CHECKPOINT_RECORDS = 8_192;
export const CHECKPOINT_AGE_MS = 86_400_000;
/** Records read in one call. */
const PAGE = 512;

export interface ArchiveOptions {
  /** Takes a checkpoint of every partition that has a record behind its last one. */
  readonly checkpoint?: boolean;
  /** Partitions that are done, of how many. */
  readonly onProgress?: (done: number) => void;
  /** No further partition is begun. */
  readonly signal?: AbortSignal;
  /** Published policies, which are archived with the journals: those can only be folded again under them. */
  readonly catalogues?: PublishedCatalogues;
  readonly segmentBytes?: number;
  readonly checkpointRecords?: number;
}

export interface ArchivedPartition {
  readonly partition: number;
  /** New in the archive. */
  readonly records: number;
  /** Number of the newest archived record, and of the newest checkpoint's; 0: there is none. */
  readonly seq: number;
  readonly checkpoint: number;
  /** A lost branch that was found and set aside. */
  readonly fork?: LostBranch;
  /** Records that were trimmed before they could be archived. */
  readonly gap?: { readonly first: number; readonly last: number };
}

/**
 * @returns what became of each partition that was looked at, in order
 * @throws ArchiveBusyError, ArchiveForeignError, ArchiveFileError, ArchiveDamagedError, ArchiveMovedError, StoreUnavailableError; what was
 *   archived until then stays. Of a damaged file, and of a journal that went back, hears the caller when the other partitions are done
 */
export async function archiveJournals(
  directory: string,
  source: ArchiveSource,
  options: ArchiveOptions = {},
): Promise<ArchivedPartition[]> {
  const { store } = source;
  return writingTo(directory, source, async (archive) => {
    const surveys = await store.survey(
      Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition),
    );
    await refuseEmpty(archive, surveys);
    const done: ArchivedPartition[] = [];
    const failed: unknown[] = [];
    for (const [index, survey] of surveys.entries()) {
      if (options.signal?.aborted) break;
      try {
        done.push(await archivePartition(archive, store, survey, options));
      } catch (error) {
        // What is wrong with one partition must not hold up the others' journals.
        if (!(error instanceof ArchiveDamagedError || error instanceof ArchiveMovedError)) throw error;
        failed.push(error);
      }
      options.onProgress?.(index + 1);
    }
    if (options.catalogues !== undefined) await archiveCatalogues(directory, { store, catalogues: options.catalogues });
    if (failed.length > 0) throw failed[0];
    return done;
  });
}

/** A Redis that has lost everything, or is the wrong one, must not make a fork of all that was archived. */
async function refuseEmpty(archive: JournalArchive, surveys: readonly PartitionSurvey[]): Promise<void> {
  if (surveys.some(({ seq }) => seq > 0)) return;
  for (const { partition } of surveys) {
    if ((await archive.tail(partition)) === null) continue;
    throw new ArchiveForeignError(`no journal of this deployment has a record, but ${archive.directory} has`, {
      fix: "Check that REDIS_URL is the right Redis. If it lost everything, restore a backup first; for a new deployment name a new directory.",
    });
  }
}

async function archivePartition(
  archive: JournalArchive,
  store: PartitionStore,
  { partition, seq, archive: noted }: PartitionSurvey,
  options: ArchiveOptions,
): Promise<ArchivedPartition> {
  const home = partitionDirectory(archive.directory, partition);
  let tail = await archive.tail(partition);
  let fork: LostBranch | undefined;
  if (tail !== null) {
    const after = await divergence(archive, store, partition, { tail, seq });
    if (after !== undefined) {
      fork = await setAside(archive, partition, after, tail);
      tail = await archive.tail(partition);
    }
  }
  const newestCheckpoint = async (): Promise<number> => (await list(home)).checkpoints.at(-1)?.seq ?? 0;
  // From here on nothing is trimmed that is yet to be read.
  if (noted === null || noted.seq > (tail?.seq ?? 0))
    await note(store, partition, { tail, checkpoint: await newestCheckpoint() });

  const image = await imageIfDue(store, partition, seq, options, home);
  const upTo = image?.seq ?? seq;
  const oldest = (await store.oldestRecord(partition)) ?? upTo + 1;
  const from = Math.max(oldest, (tail?.seq ?? 0) + 1);
  const isGap = from > (tail?.seq ?? 0) + 1 && from <= upTo;
  if (upTo >= from) {
    const segments = new SegmentsWriter(home, partition, options.segmentBytes ?? SEGMENT_BYTES);
    if (!isGap && tail !== null) await segments.goOn();
    tail = await copy(store, partition, { from, upTo, image }, segments, isGap ? null : (tail?.hash ?? GENESIS_HEAD));
  }
  if (image !== undefined) {
    if (tail?.seq !== image.seq || tail.hash !== image.head) throw moved(partition, "while its sessions were read");
    await writeCheckpoint(home, partition, image, Date.now());
  }
  const checkpoint = await newestCheckpoint();
  await note(store, partition, { tail, checkpoint });
  return {
    partition,
    records: Math.max(0, upTo - from + 1),
    seq: tail?.seq ?? 0,
    checkpoint,
    ...(fork && { fork }),
    ...(isGap && { gap: { first: (await gapStart(archive, partition, from)) + 1, last: from - 1 } }),
  };
}

async function gapStart(archive: JournalArchive, partition: number, from: number): Promise<number> {
  return (await archive.segments(partition)).findLast(({ last }) => last < from)?.last ?? 0;
}

async function imageIfDue(
  store: PartitionStore,
  partition: number,
  seq: number,
  { checkpoint = false, checkpointRecords = CHECKPOINT_RECORDS }: ArchiveOptions,
  home: string,
): Promise<PartitionImage | undefined> {
  const last = (await list(home)).checkpoints.at(-1);
  if (seq === (last?.seq ?? 0)) return undefined;
  const isOld = async (file: string): Promise<boolean> => Date.now() - (await stat(file)).mtimeMs >= CHECKPOINT_AGE_MS;
  const isDue = last === undefined || checkpoint || seq - last.seq >= checkpointRecords || (await isOld(last.file));
  return isDue ? store.image(partition) : undefined;
}

async function note(
  store: PartitionStore,
  partition: number,
  { tail, checkpoint }: { readonly tail: Tail | null; readonly checkpoint: number },
): Promise<void> {
  const seq = tail?.seq ?? 0;
  const isNoted = await store.noteArchived(partition, {
    seq,
    hash: tail?.hash ?? "",
    checkpoint: Math.min(checkpoint, seq),
  });
  if (!isNoted) throw moved(partition, "while it was archived");
}

function moved(partition: number, when: string): ArchiveMovedError {
  return new ArchiveMovedError(`the journal of partition ${partition} went back ${when}`, {
    fix: "Redis has failed over, or was restored. Archive again: what was lost is then kept apart, as a fork.",
  });
}

/** Reads a stretch of the journal, its chain checked, into segments. */
async function copy(
  store: PartitionStore,
  partition: number,
  { from, upTo, image }: { readonly from: number; readonly upTo: number; readonly image: PartitionImage | undefined },
  segments: SegmentsWriter,
  before: string | null,
): Promise<Tail> {
  let head = before;
  for (let next = from; next <= upTo;) {
    const seqs = Array.from({ length: Math.min(PAGE, upTo - next + 1) }, (_, n) => next + n);
    const entries = (await store.records(partition, seqs)).filter((entry): entry is JournalEntry => entry !== null);
    const [first] = entries;
    const verdict =
      head === null && first !== undefined
        ? verifyChain(first.hash, next + 1, entries.slice(1))
        : verifyChain(head ?? GENESIS_HEAD, next, entries);
    if (!verdict.intact || entries.length < seqs.length) {
      const seq = verdict.intact ? next + entries.length : verdict.seq;
      throw new ArchiveMovedError(
        `record ${seq} of partition ${partition} is ${verdict.intact ? "missing" : verdict.reason}: it does not follow what is archived`,
        {
          fix: "If Redis has just failed over, archive again. If this stays, the journal was altered in Redis: nothing of it is archived from there on.",
        },
      );
    }
    await segments.add(entries, head);
    head = verdict.head;
    next += entries.length;
  }
  if (head === null || (image !== undefined && head !== image.head)) throw moved(partition, "while it was read");
  await segments.close();
  return { seq: upTo, hash: head };
}

/** Gathers blocks, and writes them as segments of about the same size. */
class SegmentsWriter {
  private blocks: EncodedBlock[] = [];
  private bytes = 0;
  private entries: JournalEntry[] = [];
  private before: string | null = null;
  /** The last segment, which is not full: what is written next has it in it. */
  private grown: string | undefined;

  constructor(
    private readonly home: string,
    private readonly partition: number,
    private readonly limit: number,
  ) {}

  /** Takes up the last segment, unless it is full. */
  async goOn(): Promise<void> {
    const newest = (await list(this.home)).segments.at(-1);
    if (newest === undefined) return;
    const segment = await Segment.open(newest.file);
    if (segment.bytes >= this.limit) return;
    this.grown = newest.file;
    for (const [number, { first, last, before }] of segment.index.blocks.entries()) {
      const isFull = last - first + 1 >= BLOCK_RECORDS;
      if (isFull || number < segment.index.blocks.length - 1) this.push(await segment.encoded(number));
      else {
        this.before = before;
        this.entries = await segment.block(number);
      }
    }
  }

  /** @param before hash of the record before the first of them */
  async add(entries: readonly JournalEntry[], before: string | null): Promise<void> {
    if (this.entries.length === 0) this.before = before;
    this.entries.push(...entries);
    while (this.entries.length >= BLOCK_RECORDS) {
      const some = this.entries.splice(0, BLOCK_RECORDS);
      this.push(await encodeBlock(some, this.before));
      this.before = (some.at(-1) as JournalEntry).hash;
      if (this.bytes >= this.limit) await this.write();
    }
  }

  async close(): Promise<void> {
    if (this.entries.length > 0) this.push(await encodeBlock(this.entries.splice(0), this.before));
    await this.write();
  }

  private push(block: EncodedBlock): void {
    this.blocks.push(block);
    this.bytes += block.bytes;
  }

  private async write(): Promise<void> {
    if (this.blocks.length === 0) return;
    const { file } = await writeSegment(this.home, this.partition, this.blocks);
    if (this.grown !== undefined && this.grown !== file) await rm(this.grown, { force: true });
    [this.blocks, this.bytes, this.grown] = [[], 0, undefined];
  }
}
