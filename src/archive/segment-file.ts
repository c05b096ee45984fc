/**
 * A segment: a stretch of one partition's journal in a file. Each block of records is a gzip member of its own, so `zcat` reads the whole
 * and this file any block alone. Behind the blocks comes the index, as a last line, and behind that an empty member of fixed length whose
 * header says where the index begins and what its hash is.
 *
 * A block's hash stands in the index, the index's in the end, and the records' own chain goes through all of them: what is torn or altered is
 * found before anything of it is believed.
 */
import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { createGunzip, gunzip, gzip } from "node:zlib";
import { join } from "node:path";
import { z } from "zod";
import { GENESIS_HEAD, isTombstone, verifyChain } from "../store/journal-chain.js";
import type { JournalEntry, SessionKey } from "../store/partition-store.js";
import { sessionKey } from "../store/session-key.js";
import { ArchiveDamagedError } from "./archive-errors.js";
import { type SegmentFile, segmentName, unreadable } from "./archive-layout.js";
import { writeNew } from "./new-file.js";
import { fromLine, glance, toLine } from "./record-line.js";

/** Records of a block: some 20 kB compressed, read in well under a millisecond. */
export const BLOCK_RECORDS = 256;
const FORMAT = 1;

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);
const sha256 = (bytes: Buffer): string => hash("sha256", bytes, "hex");

const Stretch = {
  /** Numbers of its first and last record. */
  first: z.int().min(1),
  last: z.int().min(1),
  tombstones: z.int().min(0),
  /** Times of its earliest and its latest record, epoch ms; `null`: no record tells one. */
  from: z.number().nullable(),
  to: z.number().nullable(),
  /** Hash of the record before the first; `null`: not known, what was before it was never archived. */
  before: z.string().nullable(),
  /** Hash of the last record. */
  after: z.string(),
};
const Block = z.strictObject({
  ...Stretch,
  /** In the file. */
  offset: z.int().min(0),
  bytes: z.int().min(1),
  /** Of its bytes in the file, hex. */
  sha256: z.string(),
});
const SegmentIndex = z.strictObject({
  kind: z.literal("gatehouse-index"),
  format: z.literal(FORMAT, "another release of Gatehouse wrote it"),
  partition: z.int().min(0),
  ...Stretch,
  blocks: z.array(Block).min(1),
  /** Session key → numbers of the blocks that hold records of it, ascending. */
  sessions: z.record(z.string(), z.array(z.int().min(0))),
});

export type Block = z.infer<typeof Block>;
export type SegmentIndex = z.infer<typeof SegmentIndex>;

/** A block as it is going to be written. */
export interface EncodedBlock extends Omit<Block, "offset"> {
  readonly data: Buffer;
  readonly keys: readonly SessionKey[];
}

/**
 * @param entries one after the other, at least one
 * @param before hash of the record before them; `null`: not known
 * @param times of the block that these entries take the place of: an erased record does not tell its own any more
 */
export async function encodeBlock(
  entries: readonly JournalEntry[],
  before: string | null,
  times?: Pick<Block, "from" | "to">,
): Promise<EncodedBlock> {
  const keys = new Set<SessionKey>();
  let from: number | null = times?.from ?? null;
  let to: number | null = times?.to ?? null;
  for (const entry of entries) {
    const { session, at } = glance(entry);
    if (session !== undefined) keys.add(sessionKey(session));
    if (at === undefined) continue;
    from = Math.min(from ?? at, at);
    to = Math.max(to ?? at, at);
  }
  const data = await gzipBytes(entries.map((entry) => `${toLine(entry)}\n`).join(""));
  return {
    first: (entries[0] as JournalEntry).seq,
    last: (entries.at(-1) as JournalEntry).seq,
    tombstones: entries.filter(isTombstone).length,
    from,
    to,
    before,
    after: (entries.at(-1) as JournalEntry).hash,
    bytes: data.length,
    sha256: sha256(data),
    data,
    keys: [...keys],
  };
}

/**
 * Writes blocks that follow one another as a segment, and reads all of it back before it gets its name.
 * @param replaces a segment of the same records, of which some were erased
 * @throws ArchiveFileError
 */
export async function writeSegment(
  directory: string,
  partition: number,
  encoded: readonly EncodedBlock[],
  replaces = false,
): Promise<SegmentFile> {
  const blocks: Block[] = [];
  const sessions: Record<SessionKey, number[]> = {};
  let offset = 0;
  for (const [number, { data, keys, ...block }] of encoded.entries()) {
    blocks.push({ ...block, offset });
    offset += data.length;
    for (const key of keys) (sessions[key] ??= []).push(number);
  }
  const told = (times: (number | null)[]): number[] => times.filter((at) => at !== null);
  const from = told(blocks.map((block) => block.from));
  const to = told(blocks.map((block) => block.to));
  const [first, last] = [blocks[0] as Block, blocks.at(-1) as Block];
  const index: SegmentIndex = {
    kind: "gatehouse-index",
    format: FORMAT,
    partition,
    first: first.first,
    last: last.last,
    tombstones: blocks.reduce((sum, { tombstones }) => sum + tombstones, 0),
    from: from.length === 0 ? null : Math.min(...from),
    to: to.length === 0 ? null : Math.max(...to),
    before: first.before,
    after: last.after,
    blocks,
    sessions,
  };
  const table = await gzipBytes(`${JSON.stringify(index)}\n`);
  const file = join(directory, segmentName(index.first, index.last));
  await writeNew({
    file,
    content: [...encoded.map(({ data }) => data), table, endOf(offset, table)],
    check: async (written) => {
      const segment = await Segment.open(written);
      for (let number = 0; number < blocks.length; number++) await segment.block(number);
    },
    replaces,
  });
  return { file, first: index.first, last: index.last };
}

const END_BYTES = 66;
/** Header of a gzip member with an extra field of 44 bytes: `GH`, 40 bytes long. */
const END_HEADER = Buffer.from("1f8b08040000000000ff2c0047482800", "hex");
/** No data, its sum and its length. */
const END_REST = Buffer.from("03000000000000000000", "hex");

function endOf(offset: number, table: Buffer): Buffer {
  const field = Buffer.alloc(40);
  field.writeBigUInt64LE(BigInt(offset));
  hash("sha256", table, "buffer").copy(field, 8);
  return Buffer.concat([END_HEADER, field, END_REST]);
}

export class Segment {
  private constructor(
    readonly file: string,
    readonly index: SegmentIndex,
    /** Of the whole file. */
    readonly bytes: number,
  ) {}

  /** @throws ArchiveDamagedError, ArchiveFileError */
  static async open(file: string): Promise<Segment> {
    try {
      const handle = await open(file, "r");
      try {
        const { size } = await handle.stat();
        const read = async (offset: number, length: number): Promise<Buffer> => {
          const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
          return buffer.subarray(0, bytesRead);
        };
        const end = size < END_BYTES ? Buffer.alloc(0) : await read(size - END_BYTES, END_BYTES);
        const isEnd =
          end.subarray(0, END_HEADER.length).equals(END_HEADER) && end.subarray(-END_REST.length).equals(END_REST);
        if (!isEnd) throw await torn(file);
        const field = end.subarray(END_HEADER.length, END_HEADER.length + 40);
        const offset = Number(field.readBigUInt64LE());
        const table = offset < size - END_BYTES ? await read(offset, size - END_BYTES - offset) : Buffer.alloc(0);
        if (!hash("sha256", table, "buffer").equals(field.subarray(8)))
          throw new ArchiveDamagedError({ file }, "its index is not what was written");
        const parsed = SegmentIndex.safeParse(JSON.parse((await gunzipBytes(table)).toString("utf8")));
        if (!parsed.success)
          throw new ArchiveDamagedError({ file }, `its index can't be used\n${z.prettifyError(parsed.error)}`);
        return new Segment(file, parsed.data, size);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw readError(file, error);
    }
  }

  /** A block's bytes as they stand in the file, found to be what was written. @throws ArchiveDamagedError, ArchiveFileError */
  async raw(number: number): Promise<Buffer> {
    const { offset, bytes, sha256: written, first } = this.blockInfo(number);
    let found: Buffer;
    try {
      const handle = await open(this.file, "r");
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset);
        found = buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw readError(this.file, error);
    }
    if (sha256(found) !== written) {
      throw new ArchiveDamagedError(
        { file: this.file, block: number, seq: first },
        `the block of records ${first} to ${this.blockInfo(number).last} is not what was written`,
      );
    }
    return found;
  }

  /** Its records and tombstones, their chain checked. @throws ArchiveDamagedError, ArchiveFileError */
  async block(number: number): Promise<JournalEntry[]> {
    const { first, last, before, after } = this.blockInfo(number);
    const raw = await this.raw(number);
    const damaged = (seq: number, what: string) =>
      new ArchiveDamagedError({ file: this.file, block: number, seq }, what);
    const text = await gunzipBytes(raw).catch((error: unknown) => {
      throw damaged(first, `it can't be decompressed (${(error as Error).message})`);
    });
    const entries: JournalEntry[] = [];
    for (const line of text.toString("utf8").trimEnd().split("\n")) {
      const entry = fromLine(line);
      if (entry === undefined) throw damaged(first + entries.length, "the line is no record");
      entries.push(entry);
    }
    const [start] = entries;
    // Of a stretch whose beginning was never archived only the first record's own hash tells.
    const verdict =
      before === null && start !== undefined
        ? verifyChain(start.hash, first + 1, entries.slice(1))
        : verifyChain(before ?? GENESIS_HEAD, first, entries);
    if (!verdict.intact) throw damaged(verdict.seq, `the record is ${verdict.reason}: the chain does not hold there`);
    if (start?.seq !== first || verdict.head !== after || entries.length !== last - first + 1)
      throw damaged(last, "the block does not end as its index says");
    return entries;
  }

  blockInfo(number: number): Block {
    const block = this.index.blocks[number];
    if (block === undefined) throw new RangeError(`${this.file} has no block ${number}`);
    return block;
  }

  /** Number of the block that holds a record; `undefined`: none does. */
  blockOf(seq: number): number | undefined {
    const { blocks } = this.index;
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.blockInfo(middle).last < seq) low = middle + 1;
      else high = middle;
    }
    return low < blocks.length && this.blockInfo(low).first <= seq ? low : undefined;
  }

  /** As it was written, to be written again in another segment. @throws ArchiveDamagedError, ArchiveFileError */
  async encoded(number: number): Promise<EncodedBlock> {
    const { offset: _, ...block } = this.blockInfo(number);
    const keys = Object.entries(this.index.sessions).flatMap(([key, blocks]) => (blocks.includes(number) ? [key] : []));
    return { ...block, data: await this.raw(number), keys };
  }
}

/** How far a file that does not end as a segment does can be read. */
async function torn(file: string): Promise<ArchiveDamagedError> {
  let seq: number | undefined;
  const unzipped = createReadStream(file)
    .on("error", () => unzipped.destroy())
    .pipe(createGunzip());
  let why = "its end is missing";
  unzipped.on("error", (error) => (why = `it can't be decompressed any further (${error.message})`));
  try {
    for await (const line of createInterface({ input: unzipped })) seq = fromLine(line)?.seq ?? seq;
  } catch {
    // What is wrong is known by now.
  }
  return seq === undefined
    ? new ArchiveDamagedError({ file }, `this is no segment of an archive, or it is torn: ${why}`)
    : new ArchiveDamagedError({ file, seq: seq + 1 }, `the file is torn behind record ${seq}: ${why}`);
}

function readError(file: string, error: unknown): unknown {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return unreadable(file, error);
  if (code.startsWith("Z_") || error instanceof SyntaxError)
    return new ArchiveDamagedError({ file }, `its index can't be read (${(error as Error).message})`);
  return error;
}
