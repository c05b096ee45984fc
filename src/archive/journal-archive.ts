/**
 * Reading an archive. Whoever replays, verifies or explains starts here: everything that comes out was checked against the hashes of its block
 * and against the journal's chain, and what can't be trusted is an error that names file, block and record.
 */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";
import { type History, type JournalReader, readHistory } from "../sessions/history.js";
import { MAX_PARTITIONS } from "../store/deployment.js";
import type { JournalEntry, SessionKey } from "../store/partition-store.js";
import { partitionOf, sessionKey } from "../store/session-key.js";
import { ArchiveDamagedError, ArchiveFileError, ArchiveForeignError } from "./archive-errors.js";
import {
  ABOUT_FILE,
  type CheckpointFile,
  type Listing,
  list,
  listPartitions,
  partitionDirectory,
  unreadable,
} from "./archive-layout.js";
import { type Checkpoint, readCheckpoint } from "./checkpoint-file.js";
import { glance } from "./record-line.js";
import { Segment } from "./segment-file.js";

export const About = z.strictObject({
  kind: z.literal("gatehouse-archive"),
  format: z.literal(1, "another release of Gatehouse wrote it"),
  /** Of the deployment's keys. */
  prefix: z.string(),
  partitionCount: z.int().min(1).max(MAX_PARTITIONS),
  clock: z.enum(["redis", "event"]),
  /** Epoch ms. */
  createdAt: z.int(),
});
/** Whose archive it is. */
export type About = z.infer<typeof About>;

/** A segment, as its index tells of it. */
export interface SegmentInfo {
  readonly file: string;
  /** Of the file. */
  readonly bytes: number;
  /** Numbers of its first and its last record. */
  readonly first: number;
  readonly last: number;
  /** Erased records among them. */
  readonly tombstones: number;
  /** Times of its earliest and its latest record, epoch ms; `null`: none tells one. */
  readonly from: number | null;
  readonly to: number | null;
  /** Hash of the record before its first; `null`: not known, that one was never archived. */
  readonly before: string | null;
  /** Hash of its last record. */
  readonly after: string;
  readonly blocks: number;
  readonly sessions: number;
}

/** A branch that was archived, and that the journal in Redis has lost since: a failover dropped it. */
export interface Fork {
  readonly directory: string;
  /** The last record that both branches have. */
  readonly after: number;
  readonly segments: readonly SegmentInfo[];
  readonly checkpoints: readonly CheckpointFile[];
}

/** The newest archived record. */
export interface Tail {
  readonly seq: number;
  readonly hash: string;
}

/** Blocks that are held decoded: a walk along back pointers comes to the same ones again. */
const HELD_BLOCKS = 32;

export class JournalArchive implements JournalReader {
  readonly #listings = new Map<number, Listing>();
  readonly #segments = new Map<string, Segment>();
  readonly #blocks = new Map<string, readonly JournalEntry[]>();

  private constructor(
    readonly directory: string,
    readonly about: About,
  ) {}

  /** @throws ArchiveFileError, ArchiveForeignError if there is no archive */
  static async open(directory: string): Promise<JournalArchive> {
    return new JournalArchive(directory, await readAbout(directory));
  }

  /** Whether anything was ever archived there: a setting may name a directory that is yet to be made. */
  static async isThere(directory: string): Promise<boolean> {
    return access(join(directory, ABOUT_FILE)).then(
      () => true,
      () => false,
    );
  }

  /** Numbers of the partitions of which anything is archived, ascending. @throws ArchiveFileError */
  async partitions(): Promise<number[]> {
    return listPartitions(this.directory);
  }

  /** Ascending, without those of forks. @throws ArchiveFileError, ArchiveDamagedError */
  async segments(partition: number): Promise<SegmentInfo[]> {
    return this.#fresh(partition, async ({ segments }) =>
      Promise.all(segments.map(async ({ file }) => infoOf(await this.#segment(file)))),
    );
  }

  /** Ascending. @throws ArchiveFileError */
  async checkpoints(partition: number): Promise<readonly CheckpointFile[]> {
    return this.#fresh(partition, async ({ checkpoints }) => checkpoints);
  }

  /** @throws ArchiveFileError, ArchiveDamagedError */
  async forks(partition: number): Promise<Fork[]> {
    const { forks } = await list(partitionDirectory(this.directory, partition));
    return Promise.all(
      forks.map(async ({ directory, after }) => {
        const { segments, checkpoints } = await list(directory);
        const infos = await Promise.all(segments.map(async ({ file }) => infoOf(await Segment.open(file))));
        return { directory, after, segments: infos, checkpoints };
      }),
    );
  }

  /** @returns `null`: nothing is archived. @throws ArchiveFileError, ArchiveDamagedError */
  async tail(partition: number): Promise<Tail | null> {
    return this.#fresh(partition, async ({ segments }) => {
      const newest = segments.at(-1);
      if (newest === undefined) return null;
      const { last, after } = (await this.#segment(newest.file)).index;
      return { seq: last, hash: after };
    });
  }

  /** Records by number, or what erased ones left; `null` where the archive has none. @throws ArchiveFileError, ArchiveDamagedError */
  async records(partition: number, seqs: readonly number[]): Promise<(JournalEntry | null)[]> {
    const find = async ({ segments }: Listing): Promise<(JournalEntry | null)[]> => {
      const found: (JournalEntry | null)[] = [];
      for (const seq of seqs) {
        const file = segments.find(({ first, last }) => first <= seq && seq <= last)?.file;
        found.push(file === undefined ? null : await this.#record(await this.#segment(file), seq));
      }
      return found;
    };
    const known = this.#listings.get(partition);
    const reaches = known !== undefined && Math.max(0, ...seqs) <= (known.segments.at(-1)?.last ?? 0);
    return reaches ? this.#again(partition, known, find) : this.#fresh(partition, find);
  }

  /**
   * Records and tombstones one after the other. If what stands before the first archived record is asked for, it begins with that one.
   * @param to the last one asked for; default: the newest
   * @throws ArchiveDamagedError where one is altered or missing, and at a gap: what is before it was yielded
   * @throws ArchiveFileError
   */
  async *stream(partition: number, from = 1, to = Number.POSITIVE_INFINITY): AsyncGenerator<JournalEntry> {
    let next = from;
    let before: { readonly seq: number; readonly hash: string; readonly file: string } | undefined;
    let retriedAt = 0;
    reading: while (next <= to) {
      // Asked anew for each segment: one that grew goes by another name meanwhile.
      const { segments } = await list(partitionDirectory(this.directory, partition));
      const at = segments.find(({ last }) => last >= next);
      if (at === undefined) return;
      if (before !== undefined && at.first > next) {
        throw new ArchiveDamagedError(
          { file: at.file, seq: next },
          `records ${next} to ${at.first - 1} are in no segment: they were removed, or trimmed before they were archived`,
        );
      }
      const segment = await this.#fresh(partition, async () => this.#segment(at.file));
      const { index } = segment;
      if (before !== undefined && at.first === next && index.before !== before.hash) {
        throw new ArchiveDamagedError(
          { file: at.file, block: 0, seq: at.first },
          `it does not follow record ${before.seq} as ${before.file} has it`,
        );
      }
      next = Math.max(next, at.first);
      for (let block = segment.blockOf(next) ?? 0; block < index.blocks.length; block++) {
        let entries: JournalEntry[];
        try {
          entries = await segment.block(block);
        } catch (error) {
          // A writer may have put another file in its place.
          if (retriedAt === next) throw error;
          retriedAt = next;
          this.#segments.delete(at.file);
          continue reading;
        }
        for (const entry of entries) {
          if (entry.seq < next) continue;
          if (entry.seq > to) return;
          yield entry;
          next = entry.seq + 1;
        }
      }
      before = { seq: index.last, hash: index.after, file: at.file };
    }
  }

  /**
   * The newest checkpoint that has no record behind `atOrBefore` in it.
   * @returns `null`: there is none
   * @throws ArchiveFileError, ArchiveDamagedError
   */
  async checkpoint(partition: number, atOrBefore = Number.POSITIVE_INFINITY): Promise<Checkpoint | null> {
    return this.#fresh(partition, async ({ checkpoints }) => {
      const file = checkpoints.findLast(({ seq }) => seq <= atOrBefore)?.file;
      return file === undefined ? null : readCheckpoint(file);
    });
  }

  /** Number of the newest archived record of a session; 0: there is none. @throws ArchiveFileError, ArchiveDamagedError */
  async lastRecordOf(partition: number, key: SessionKey): Promise<number> {
    return this.#fresh(partition, async ({ segments }) => {
      for (const { file } of segments.toReversed()) {
        const segment = await this.#segment(file);
        for (const block of (segment.index.sessions[key] ?? []).toReversed()) {
          const entry = (await this.#block(segment, block)).findLast((one) => {
            const { session } = glance(one);
            return session !== undefined && sessionKey(session) === key;
          });
          if (entry !== undefined) return entry.seq;
        }
      }
      return 0;
    });
  }

  /** Which partition a session's records are in. */
  partitionOf(id: SessionId): number {
    const { tenant, device } = sessionIdParts(id);
    return partitionOf(tenant, device, this.about.partitionCount);
  }

  /**
   * A session's past, from record to record along their pointers, each found by the index without reading what is between them.
   * @param lastSeq record to begin with, the newest; default: the session's last one that is archived
   * @param limit records at most, the newest ones
   * @throws ArchiveFileError, ArchiveDamagedError
   */
  async history(id: SessionId, lastSeq?: number, limit?: number): Promise<History> {
    const partition = this.partitionOf(id);
    return readHistory(this, partition, lastSeq ?? (await this.lastRecordOf(partition, sessionKey(id))), { limit });
  }

  async #record(segment: Segment, seq: number): Promise<JournalEntry | null> {
    const block = segment.blockOf(seq);
    if (block === undefined) return null;
    return (await this.#block(segment, block))[seq - segment.blockInfo(block).first] ?? null;
  }

  async #segment(file: string): Promise<Segment> {
    const known = this.#segments.get(file);
    if (known !== undefined) return known;
    const segment = await Segment.open(file);
    this.#segments.set(file, segment);
    return segment;
  }

  async #block(segment: Segment, number: number): Promise<readonly JournalEntry[]> {
    const name = `${segment.file}:${number}`;
    const held = this.#blocks.get(name);
    if (held !== undefined) return held;
    const entries = await segment.block(number);
    this.#blocks.set(name, entries);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > HELD_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    return entries;
  }

  async #fresh<Result>(partition: number, work: (listing: Listing) => Promise<Result>): Promise<Result> {
    const listing = await list(partitionDirectory(this.directory, partition));
    this.#listings.set(partition, listing);
    return this.#again(partition, listing, work);
  }

  /** A writer may have put another file in the place of one that is being read: then everything is looked up once more. */
  async #again<Result>(
    partition: number,
    listing: Listing,
    work: (listing: Listing) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(listing);
    } catch (error) {
      if (!(error instanceof ArchiveDamagedError || error instanceof ArchiveFileError)) throw error;
      this.#segments.clear();
      this.#blocks.clear();
      const anew = await list(partitionDirectory(this.directory, partition));
      this.#listings.set(partition, anew);
      return work(anew);
    }
  }
}

export function infoOf({ file, bytes, index }: Segment): SegmentInfo {
  const { first, last, tombstones, from, to, before, after, blocks, sessions } = index;
  return {
    file,
    bytes,
    first,
    last,
    tombstones,
    from,
    to,
    before,
    after,
    blocks: blocks.length,
    sessions: Object.keys(sessions).length,
  };
}

/** @throws ArchiveFileError, ArchiveForeignError */
async function readAbout(directory: string): Promise<About> {
  const file = join(directory, ABOUT_FILE);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(file, error);
    throw new ArchiveForeignError(`${directory} is no archive: it has no ${ABOUT_FILE}`, {
      fix: "Name the directory that `gatehouse archive --to` wrote.",
    });
  });
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    read = undefined;
  }
  const parsed = About.safeParse(read);
  if (parsed.success) return parsed.data;
  throw new ArchiveForeignError(`${file} can't be used\n${z.prettifyError(parsed.error)}`, {
    fix: "Put it back as it was: it says whose archive this is. If another release wrote it, use that release.",
  });
}
