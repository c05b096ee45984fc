/** Journals in files: what is written, found again, found damaged, and kept when Redis goes back. */
import { readFile, readdir, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ArchiveBusyError, ArchiveDamagedError, ArchiveForeignError } from "../../../src/archive/archive-errors.js";
import { LOCK_FILE, list, partitionDirectory } from "../../../src/archive/archive-layout.js";
import { withArchiveLock } from "../../../src/archive/archive-lock.js";
import { type ArchiveOptions, archiveJournals } from "../../../src/archive/archive-journals.js";
import { JournalArchive } from "../../../src/archive/journal-archive.js";
import { writeNew } from "../../../src/archive/new-file.js";
import { Segment, encodeBlock, writeSegment } from "../../../src/archive/segment-file.js";
import { setAside } from "../../../src/archive/set-aside.js";
import { pruneArchive } from "../../../src/archive/prune-archive.js";
import { oneAfterTheOther, readHistory } from "../../../src/sessions/history.js";
import { GENESIS_HEAD, bodyHash, chainRecords, verifyChain } from "../../../src/store/journal-chain.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import type { JournalEntry, PartitionStore, StoredRecord } from "../../../src/store/partition-store.js";
import { sessionKey } from "../../../src/store/session-key.js";
import { interposed } from "../../support/interposed.js";
import { Journal, NOON, archiveDirectory, idOf, zcat } from "../../support/archived.js";

const DEPLOYMENT = { partitionCount: 1, clock: "event" } as const;
const PREFIX = "gh";

let directory: string;
let home: Awaited<ReturnType<typeof archiveDirectory>>;
let store: PartitionStore;
let journal: Journal;

beforeEach(async () => {
  home = await archiveDirectory();
  directory = home.path;
  store = new MemoryPartitionStore({ deployment: DEPLOYMENT });
  journal = new Journal(store);
});
afterEach(async () => home.remove());

const archive = async (options: ArchiveOptions = {}, from = store) =>
  (await archiveJournals(directory, { store: from, prefix: PREFIX }, options))[0];

const opened = async (): Promise<JournalArchive> => JournalArchive.open(directory);

async function all(from?: number, to?: number): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of (await opened()).stream(0, from, to)) entries.push(entry);
  return entries;
}

/** The store with another answer to a note. */
const overriding = (noteArchived: PartitionStore["noteArchived"]): PartitionStore =>
  new Proxy(store, { get: (target, name) => (name === "noteArchived" ? noteArchived : bound(target, name)) });

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === "function" ? value.bind(target) : value;
}

const seqs = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const filesIn = async (): Promise<string[]> => (await readdir(partitionDirectory(directory, 0))).sort();
const segmentFile = async (): Promise<string> =>
  (await list(partitionDirectory(directory, 0))).segments.at(-1)?.file as string;

describe("archiving", () => {
  test("copies every record as it is, and notes in the store how far it came", async () => {
    await journal.grow(1_000);
    expect(await archive()).toEqual({ partition: 0, records: 1_000, seq: 1_000, checkpoint: 1_000 });
    expect(await all()).toEqual(await store.records(0, seqs(1, 1_000)));
    expect((await store.survey([0]))[0]?.archive).toEqual({ seq: 1_000, checkpoint: 1_000 });
  });

  test("run again it adds what is new, in a segment that grows until it is full", async () => {
    await journal.grow(300);
    await archive();
    await journal.grow(1);
    expect(await archive()).toMatchObject({ records: 1, seq: 301 });
    expect(await archive()).toMatchObject({ records: 0, seq: 301 });
    expect(await filesIn()).toEqual(["000000000001-000000000301.journal.gz", "000000000300.checkpoint.gz"]);

    await journal.grow(2_000);
    await archive({ segmentBytes: 20_000 });
    const segments = await (await opened()).segments(0);
    expect(segments.length).toBeGreaterThan(2);
    expect(await all()).toEqual(await store.records(0, seqs(1, 2_301)));
    for (const [index, segment] of segments.entries()) {
      expect(segment.before).toBe(segments[index - 1]?.after ?? GENESIS_HEAD);
      expect(segment.from).toBe(NOON + segment.first * 60_000);
      expect(segment.to).toBe(NOON + segment.last * 60_000);
    }
  });

  test("zcat reads a segment, and each line has the record as it was stored", async () => {
    await journal.grow(700);
    await archive();
    const lines = zcat(await segmentFile())
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(701);
    const [record] = (await store.records(0, [500])) as [StoredRecord];
    expect(JSON.parse(lines[499] as string)).toEqual({
      seq: 500,
      hash: record.hash,
      record: JSON.parse(record.body),
    });
    expect(JSON.parse(lines[700] as string)).toMatchObject({ kind: "gatehouse-index", first: 1, last: 700 });
  });

  test("takes any text that a store takes", async () => {
    const bodies = ['{"a":1}', "no json", "two\nlines", '{"b":\n2}', "", "ü 🙂", '{"c" : 3 }', '"text"', "\u2028"];
    const { token } = await store.load(0, { entries: 1, bytes: 1 });
    const nothing = { last: null, clock: 0, snapshots: new Map(), timers: new Map(), consumed: new Map(), effects: [] };
    await store.commit(0, {
      ...nothing,
      token,
      nextToken: "next",
      records: chainRecords(GENESIS_HEAD, 1, bodies),
      counters: {},
    });
    await archive();
    expect((await all()).map((entry) => (entry as StoredRecord).body)).toEqual(bodies);
  });

  test("keeps erased records as tombstones", async () => {
    await journal.grow(10);
    const [record] = (await store.records(0, [4])) as [StoredRecord];
    const nothing = { sessions: new Map(), entries: [], placeholder: "", effects: [], counters: {} };
    const records = [{ seq: 4, bodyHash: bodyHash(record.body), previous: 1 }];
    await store.erase(0, { ...nothing, nextToken: "erased", records, at: 77 });
    await archive();
    expect((await all())[3]).toEqual({
      seq: 4,
      hash: record.hash,
      bodyHash: bodyHash(record.body),
      erasedAt: 77,
      previous: 1,
    });
  });

  test("a journal whose beginning was trimmed begins where it does, and says what is missing", async () => {
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 20_000 } });
    journal = new Journal(store);
    await journal.grow(500);
    const oldest = (await store.oldestRecord(0)) as number;
    expect(oldest).toBeGreaterThan(1);
    expect(await archive()).toMatchObject({ gap: { first: 1, last: oldest - 1 }, records: 501 - oldest });
    expect(await all()).toEqual(await store.records(0, seqs(oldest, 500)));
  });

  test("from the first run on nothing is trimmed that is not archived, nor behind the last checkpoint", async () => {
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 20_000 } });
    journal = new Journal(store);
    await archive();
    await journal.grow(500);
    expect(await store.oldestRecord(0)).toBe(1);
    await archive();
    await journal.grow(400);
    expect(await store.oldestRecord(0)).toBeGreaterThan(400);
    await archive();
    // Archived up to 900, but the last checkpoint is that of 500.
    await journal.grow(100);
    expect(await store.oldestRecord(0)).toBe(501);
    await archive({ checkpoint: true });
    await journal.grow(1);
    expect(await store.oldestRecord(0)).toBeGreaterThan(800);
    await archive();
    expect((await all()).map(({ seq }) => seq)).toEqual(seqs(1, 1_001));
  });

  test.each([
    ["a record", false],
    ["a tombstone", true],
  ])("goes on where all that was archived was trimmed, and the journal begins with %s", async (_, isErased) => {
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 10_000 } });
    journal = new Journal(store);
    await archive();
    await journal.grow(100);
    await archive({ checkpoint: true });
    await journal.grow(100);
    expect(await store.oldestRecord(0)).toBe(101);
    const [record] = (await store.records(0, [101])) as [StoredRecord];
    const nothing = { sessions: new Map(), entries: [], placeholder: "", effects: [], counters: {}, at: 1 };
    const records = isErased ? [{ seq: 101, bodyHash: bodyHash(record.body) }] : [];
    await store.erase(0, { ...nothing, nextToken: "erased", records });
    expect(await archive()).toMatchObject({ records: 100, seq: 200 });
    expect(verifyChain(GENESIS_HEAD, 1, await all())).toMatchObject({ intact: true });
  });

  test("where archiving begins anew in another directory, nothing is trimmed before that one has it", async () => {
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 20_000 } });
    journal = new Journal(store);
    await journal.grow(200);
    await archive();
    await rm(directory, { recursive: true });
    const oldest = (await store.oldestRecord(0)) as number;
    // Just before it reads the journal, workers commit so much that all of it would go.
    const busy = interposed(store, async (call, carryOut) => {
      if (call === "image") await journal.grow(400);
      return carryOut();
    });
    expect(await archive({}, busy)).toMatchObject({ gap: { first: 1, last: oldest - 1 }, seq: 600 });
  });
});

describe("a checkpoint", () => {
  test("has every session as it was right after one record, and what goes with it", async () => {
    await journal.grow(100);
    await archive();
    const before = await store.image(0);
    await journal.grow(100);
    await archive({ checkpoint: true });
    const reader = await opened();
    expect((await reader.checkpoints(0)).map(({ seq }) => seq)).toEqual([100, 200]);
    expect(await reader.checkpoint(0, 199)).toMatchObject({ ...before, partition: 0, sessions: 3 });
    expect(await reader.checkpoint(0)).toMatchObject(await store.image(0));
    expect(await reader.checkpoint(0, 99)).toBeNull();
  });

  test("is taken by itself after so many records", async () => {
    for (let n = 0; n < 5; n++) {
      await journal.grow(100);
      await archive({ checkpointRecords: 200 });
    }
    expect((await (await opened()).checkpoints(0)).map(({ seq }) => seq)).toEqual([100, 300, 500]);
  });

  test("that is altered is refused", async () => {
    await journal.grow(10);
    await archive();
    const file = (await (await opened()).checkpoints(0))[0]?.file as string;
    const bytes = await readFile(file);
    for (const at of [20, bytes.length >> 1, bytes.length - 3]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] as number) ^ 1;
      await writeFile(file, other);
      await expect((await opened()).checkpoint(0)).rejects.toThrow(ArchiveDamagedError);
    }
    await truncate(file, 30);
    await expect((await opened()).checkpoint(0)).rejects.toThrow(file);
  });
});

describe("reading", () => {
  test("finds records by number, over segments and blocks, and tells those that it has not", async () => {
    await journal.grow(2_000);
    await archive({ segmentBytes: 15_000 });
    const reader = await opened();
    const asked = [1, 2_000, 256, 257, 512, 2_001, 7];
    expect(await reader.records(0, asked)).toEqual(await store.records(0, asked));
    expect(await reader.records(5, [1])).toEqual([null]);
  });

  test("goes on from any record, and to any", async () => {
    await journal.grow(1_000);
    await archive({ segmentBytes: 8_000 });
    expect((await all(400, 612)).map(({ seq }) => seq)).toEqual(seqs(400, 612));
    expect(await all(1_001)).toEqual([]);
  });

  test("finds a session's past with a block for each record, not the whole", async () => {
    await journal.grow(5, ["adele"]);
    await journal.grow(2_000, ["bruno", "carol"]);
    await journal.grow(5, ["adele"]);
    await archive();
    const { records, cut } = await (await opened()).history(idOf("adele"));
    expect(records.map(({ seq }) => seq)).toEqual([...seqs(1, 5), ...seqs(2_006, 2_010)]);
    expect(cut).toBeUndefined();
    // What is altered between them is not read.
    const file = await segmentFile();
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    await writeFile(file, bytes);
    expect((await (await opened()).history(idOf("adele"))).records).toHaveLength(10);
    await expect(all()).rejects.toThrow(ArchiveDamagedError);
  });

  test("a history goes on into the archive where the journal was trimmed", async () => {
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 20_000 } });
    journal = new Journal(store);
    await archive();
    for (let n = 0; n < 10; n++) {
      await journal.grow(100);
      await archive({ checkpoint: true });
    }
    const alone = await readHistory(store, 0, journal.lastOf("adele"));
    expect(alone.cut).toBe("trimmed");
    const { records, cut } = await readHistory(oneAfterTheOther(store, await opened()), 0, journal.lastOf("adele"));
    expect(cut).toBeUndefined();
    expect(records.map(({ seq }) => seq)).toEqual(seqs(1, 1_000).filter((seq) => seq % 3 === 0));
    expect(records.slice(-alone.records.length)).toEqual(alone.records);
  });

  test("a reader that is open finds what was archived since, though its segment has another name", async () => {
    await journal.grow(300);
    await archive();
    const reader = await opened();
    expect(await reader.records(0, [300])).toHaveLength(1);
    await journal.grow(300);
    await archive();
    expect((await reader.records(0, [3, 600])).map((entry) => entry?.seq)).toEqual([3, 600]);
    expect(await reader.lastRecordOf(0, sessionKey(idOf("bruno")))).toBe(journal.lastOf("bruno"));
  });

  test("a directory without an archive is refused", async () => {
    await expect(opened()).rejects.toMatchObject({ code: "archive.foreign", fix: expect.stringContaining("--to") });
  });
});

describe("damage", () => {
  beforeEach(async () => {
    await journal.grow(600);
    await archive();
  });

  test("anywhere in a segment is found, and named with file, block and record", async () => {
    const file = await segmentFile();
    const bytes = await readFile(file);
    const step = Math.floor(bytes.length / 150);
    for (let at = 0; at < bytes.length; at += step) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] as number) ^ (1 << (at % 8));
      await writeFile(file, other);
      await expect(all(), `byte ${at}`).rejects.toThrow(ArchiveDamagedError);
    }
    await writeFile(file, bytes);
    const second = (await Segment.open(file)).blockInfo(1).offset + 50;
    bytes[second] = (bytes[second] as number) ^ 1;
    await writeFile(file, bytes);
    await expect(all()).rejects.toMatchObject({
      place: { file, block: 1, seq: 257 },
      message: expect.stringContaining(`${file}, block 1, record 257`),
      fix: expect.stringContaining("backups"),
    });
    expect((await all(1, 256)).length).toBe(256);
  });

  test("a file that is cut anywhere is refused, with the last record that can be read", async () => {
    const file = await segmentFile();
    const bytes = await readFile(file);
    for (let length = 0; length < bytes.length; length += Math.floor(bytes.length / 60)) {
      await writeFile(file, bytes.subarray(0, length));
      await expect(all(), `${length} bytes`).rejects.toThrow(ArchiveDamagedError);
    }
    await writeFile(file, bytes.subarray(0, -1));
    await expect(all()).rejects.toThrow(/torn behind record 600/);
  });

  test("a record that somebody altered, with every sum made right again, breaks the chain", async () => {
    const file = await segmentFile();
    const segment = await Segment.open(file);
    const entries = [...(await segment.block(0))] as StoredRecord[];
    const forged = {
      ...(entries[9] as StoredRecord),
      body: (entries[9] as StoredRecord).body.replace("backgrounded", "foregrounded"),
    };
    entries[9] = forged;
    const blocks = [await encodeBlock(entries, GENESIS_HEAD), await segment.encoded(1), await segment.encoded(2)];
    await expect(writeSegment(partitionDirectory(directory, 0), 0, blocks, true)).rejects.toMatchObject({
      place: { block: 0, seq: 10 },
    });
    expect(await all()).toHaveLength(600);
  });

  test("a segment that is missing is a gap, told where it is", async () => {
    await journal.grow(2_000);
    await archive({ segmentBytes: 10_000 });
    const segments = await (await opened()).segments(0);
    await rm(segments[1]?.file as string);
    await expect(all()).rejects.toThrow(
      new RegExp(`records ${segments[1]?.first} to ${segments[1]?.last} are in no segment`),
    );
  });
});

describe("whatever dies", () => {
  test("what it was writing counts for nothing, and the next run removes it", async () => {
    await journal.grow(300);
    await archive();
    const at = partitionDirectory(directory, 0);
    await writeFile(join(at, "000000000301-000000000400.journal.gz.tmp"), "half of it");
    await writeFile(join(at, "000000000400.checkpoint.gz.tmp"), "half of it");
    expect(await all()).toHaveLength(300);
    await journal.grow(100);
    expect(await archive()).toMatchObject({ records: 100, seq: 400 });
    expect(await filesIn()).toEqual(["000000000001-000000000400.journal.gz", "000000000300.checkpoint.gz"]);
  });

  test("between a segment that grew and the removal of the shorter one leaves both, and either reads alike", async () => {
    await journal.grow(300);
    await archive();
    const short = await segmentFile();
    const kept = await readFile(short);
    await journal.grow(10);
    await archive();
    await writeFile(short, kept);
    expect(await all()).toEqual(await store.records(0, seqs(1, 310)));
    expect(await archive()).toMatchObject({ records: 0, seq: 310 });
    expect(await filesIn()).toHaveLength(2);
  });

  test("before the note in the store: the next run notes, and writes nothing twice", async () => {
    await journal.grow(300);
    let fails = true;
    const noteless = overriding(async (partition, note) => {
      if (fails && note?.seq === 300) throw new Error("killed");
      return store.noteArchived(partition, note);
    });
    await expect(archive({}, noteless)).rejects.toThrow("killed");
    const written = (await stat(await segmentFile())).mtimeMs;
    fails = false;
    expect(await archive({}, noteless)).toMatchObject({ records: 0, seq: 300, checkpoint: 300 });
    expect((await stat(await segmentFile())).mtimeMs).toBe(written);
  });

  test("a longer segment that can't be read does not cost the shorter one that it covers", async () => {
    await journal.grow(300);
    await archive();
    const short = await segmentFile();
    await writeFile(join(partitionDirectory(directory, 0), "000000000001-000000000310.journal.gz"), "no segment");
    await expect(all()).rejects.toThrow(ArchiveDamagedError);
    await expect(archive()).rejects.toThrow(ArchiveDamagedError);
    expect((await stat(short)).size).toBeGreaterThan(0);
  });

  test("a disk that is full leaves nothing of the new file, and says so", async () => {
    const file = join(home.path, "p0000", "new.journal.gz");
    async function* content() {
      yield Buffer.from("half of it");
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });
    }
    const failing = writeNew({ file, content: content(), check: async () => undefined });
    await expect(failing).rejects.toMatchObject({ code: "archive.file", message: expect.stringContaining("no space") });
    expect(await readdir(join(home.path, "p0000"))).toEqual([]);
  });

  test("nothing is ever put in the place of what is there", async () => {
    const file = join(home.path, "p0000", "new.journal.gz");
    const check = async () => undefined;
    await writeNew({ file, content: [Buffer.from("first")], check });
    await expect(writeNew({ file, content: [Buffer.from("second")], check })).rejects.toThrow(/EEXIST|exists/);
    expect(await readFile(file, "utf8")).toBe("first");
  });
});

describe("two at once", () => {
  test("the second says so, and who the first is", async () => {
    await journal.grow(10);
    await withArchiveLock(directory, async () => {
      const refused = archive();
      await expect(refused).rejects.toThrow(ArchiveBusyError);
      await expect(refused).rejects.toThrow(String(process.pid));
    });
    expect(await archive()).toMatchObject({ records: 10 });
  });

  test("one of many that begin together archives, the others are refused", async () => {
    await journal.grow(1_000);
    const settled = await Promise.allSettled([1, 2, 3, 4].map(async () => archive()));
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await all()).toHaveLength(1_000);
  });

  test.each([
    ["a process that died", { pid: 2 ** 22 + 1, host: hostname() }, 0],
    ["another machine that nobody has heard of for a while", { pid: 1, host: "elsewhere" }, 90_000],
  ])("the lock of %s is taken over", async (_, holder, ageMs) => {
    await journal.grow(10);
    await archive();
    const lock = join(directory, LOCK_FILE);
    await writeFile(lock, JSON.stringify({ ...holder, nonce: "x", startedAt: "then" }));
    const then = new Date(Date.now() - ageMs);
    await utimes(lock, then, then);
    expect(await archive()).toMatchObject({ records: 0 });
    expect(await readdir(directory)).not.toContain(LOCK_FILE);
  });

  test("the lock of another machine that still works is not", async () => {
    await journal.grow(10);
    await archive();
    await writeFile(
      join(directory, LOCK_FILE),
      JSON.stringify({ pid: 1, host: "elsewhere", nonce: "x", startedAt: "then" }),
    );
    await expect(archive()).rejects.toThrow(/process 1 on elsewhere, since then/);
  });

  test("a process that stood still so long that its lock was taken over writes nothing any more", async () => {
    await journal.grow(300);
    await archive();
    const files = await filesIn();
    await journal.grow(100);
    const lock = join(directory, LOCK_FILE);
    const stoodStill = interposed(store, async (call, carryOut) => {
      const other = { pid: 1, host: "elsewhere", nonce: "another", startedAt: "then" };
      if (call === "oldestRecord") await writeFile(lock, JSON.stringify(other));
      return carryOut();
    });
    await expect(archive({}, stoodStill)).rejects.toThrow(/took this archive's lock over/);
    expect(await filesIn()).toEqual(files);
    expect(await readFile(lock, "utf8")).toContain("another");
    expect((await store.survey([0]))[0]?.archive?.seq).toBe(300);
  });

  test("another deployment's archive is refused", async () => {
    await journal.grow(10);
    await archive();
    const refused = archiveJournals(directory, { store, prefix: "other" });
    await expect(refused).rejects.toThrow(/with prefix gh; this one has other/);
  });
});

describe("a failover that lost what was archived", () => {
  /** The journal as a replica had it that was `kept` records behind, gone on with differently. */
  async function lostBehind(kept: number, further: number): Promise<void> {
    store = new MemoryPartitionStore({ deployment: DEPLOYMENT });
    await new Journal(store).grow(kept);
    await new Journal(store, 0, "after").grow(further);
  }

  test.each([
    ["and went on less far", 450, 20],
    ["and went on further", 450, 900],
    ["and stands still", 450, 0],
    ["at the edge of a block", 256, 300],
    ["and all of them", 0, 30],
  ])("%s: both branches are kept, and the journal's is the one that counts", async (_, kept, further) => {
    await journal.grow(600);
    await archive();
    const lost = await all();
    await lostBehind(kept, further);
    const result = await archive();
    expect(result).toMatchObject({ fork: { after: kept, last: 600 }, seq: kept + further });
    expect(await all()).toEqual(await store.records(0, seqs(1, kept + further)));

    const [fork] = await (await opened()).forks(0);
    expect(fork).toMatchObject({ after: kept, directory: result?.fork?.directory });
    expect(fork?.segments.at(-1)).toMatchObject({ last: 600, after: lost.at(-1)?.hash });
    expect(fork?.checkpoints.map(({ seq }) => seq)).toEqual([600]);
    const lines = zcat(fork?.segments.at(-1)?.file as string);
    expect(lines).toContain((lost.at(-1) as StoredRecord).body);

    await new Journal(store, 0, "later").grow(10);
    const again = await archive();
    expect(again).not.toHaveProperty("fork");
    expect(again).toMatchObject({ seq: kept + further + 10 });
    expect(verifyChain(GENESIS_HEAD, 1, await all())).toMatchObject({ intact: true });
  });

  test("over several segments, and again: every branch has a directory of its own", async () => {
    await journal.grow(2_000);
    await archive({ segmentBytes: 10_000 });
    await lostBehind(900, 500);
    await archive({ segmentBytes: 10_000 });
    await lostBehind(700, 10);
    await archive({ segmentBytes: 10_000 });
    expect((await (await opened()).forks(0)).map(({ after }) => after)).toEqual([700, 900]);
    expect(await all()).toEqual(await store.records(0, seqs(1, 710)));
  });

  test("is found although the journal was trimmed since", async () => {
    await journal.grow(600);
    await archive();
    store = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 30_000 } });
    await new Journal(store).grow(500);
    await new Journal(store, 0, "after").grow(50);
    expect(await store.oldestRecord(0)).toBeGreaterThan(1);
    expect(await archive()).toMatchObject({ fork: { after: 500 }, seq: 550 });
    expect((await all()).map(({ seq }) => seq)).toEqual(seqs(1, 550));
  });

  test.each([
    ["before it removed anything", () => true],
    ["when its checkpoints were removed", (name: string) => !name.includes("checkpoint")],
  ])("cut short while the lost branch is set aside, %s, it is done again to the same end", async (_, isLeft) => {
    await journal.grow(600);
    await archive();
    const before = await Promise.all(
      (await filesIn()).map(
        async (name) => [name, await readFile(join(partitionDirectory(directory, 0), name))] as const,
      ),
    );
    const reader = await opened();
    const tail = await reader.tail(0);
    await setAside(reader, 0, 450, tail as NonNullable<typeof tail>);
    for (const [name, bytes] of before)
      if (isLeft(name)) await writeFile(join(partitionDirectory(directory, 0), name), bytes);
    expect(await (await opened()).tail(0)).toEqual(tail);
    await lostBehind(450, 20);
    expect(await archive()).toMatchObject({ fork: { after: 450, last: 600 }, seq: 470 });
    const reread = await opened();
    expect(await reread.forks(0)).toMatchObject([{ checkpoints: [{ seq: 600 }] }]);
    expect((await reread.checkpoints(0)).every(({ seq }) => seq <= 470)).toBe(true);
    expect(await all()).toEqual(await store.records(0, seqs(1, 470)));
  });

  test("of everything, or a Redis that is the wrong one, is refused: nothing is set aside", async () => {
    await journal.grow(600);
    await archive();
    const files = await filesIn();
    await expect(archive({}, new MemoryPartitionStore({ deployment: DEPLOYMENT }))).rejects.toThrow(
      ArchiveForeignError,
    );
    expect(await filesIn()).toEqual(files);
  });

  test("a journal that has nothing in common with the archive is refused", async () => {
    await journal.grow(600);
    await archive();
    const other = new MemoryPartitionStore({ deployment: { ...DEPLOYMENT, journalMaxBytes: 30_000 } });
    await new Journal(other, 0, "other").grow(500);
    await expect(archive({}, other)).rejects.toThrow(/no record in common/);
  });

  test("while it is archived, the run ends and says to run it again", async () => {
    await journal.grow(100);
    const goesBack = overriding(async (partition, note) => note?.seq !== 100 && store.noteArchived(partition, note));
    await expect(archive({}, goesBack)).rejects.toMatchObject({ code: "archive.moved", retryable: true });
  });
});

describe("pruning", () => {
  const DAY_MS = 86_400_000;
  const prune = async (rules: Parameters<typeof pruneArchive>[1], applies = true) =>
    pruneArchive(directory, rules, { applies });

  beforeEach(async () => {
    // A record a minute: some four days.
    for (let n = 0; n < 3; n++) {
      await journal.grow(2_000);
      await archive({ segmentBytes: 10_000, checkpoint: true });
    }
  });

  test("removes the oldest by age, whole segments, after a preview that removes nothing", async () => {
    const before = await filesIn();
    const preview = await prune({ olderThanMs: 2 * DAY_MS }, false);
    expect(await filesIn()).toEqual(before);
    expect(await prune({ olderThanMs: 2 * DAY_MS })).toEqual(preview);
    const [first] = await (await opened()).segments(0);
    expect(preview.parts.at(-1)?.last).toBe((first?.first ?? 0) - 1);
    expect(first?.to).toBeGreaterThan(NOON + 6_000 * 60_000 - 3 * DAY_MS);
    const left = await all();
    expect(left.at(-1)?.seq).toBe(6_000);
    expect(verifyChain(first?.before ?? "", first?.first ?? 0, left)).toMatchObject({ intact: true });
    expect((await (await opened()).checkpoints(0)).map(({ seq }) => seq)).toEqual([4_000, 6_000]);
  });

  test("removes the oldest until the archive is small enough", async () => {
    const { bytes } = await prune({ maxBytes: Number.MAX_SAFE_INTEGER });
    await prune({ maxBytes: bytes / 2 });
    const { bytes: left } = await prune({ maxBytes: Number.MAX_SAFE_INTEGER });
    expect(left).toBeLessThanOrEqual(bytes / 2);
    expect(left).toBeGreaterThan(bytes / 4);
  });

  test("never removes what is needed from the newest checkpoint on, nor what the next run goes on from", async () => {
    await journal.grow(3_000);
    await archive({ segmentBytes: 10_000, checkpointRecords: 100_000 });
    await prune({ olderThanMs: 0, maxBytes: 0 });
    const reader = await opened();
    const checkpoint = await reader.checkpoint(0);
    expect(checkpoint?.seq).toBe(6_000);
    expect((await all()).at(0)?.seq).toBeLessThanOrEqual(6_001);
    expect((await all(6_001)).map(({ seq }) => seq)).toEqual(seqs(6_001, 9_000));
    await journal.grow(5);
    expect(await archive()).toMatchObject({ records: 5, seq: 9_005 });
  });

  test("a damaged newest checkpoint: nothing goes that could be folded from instead", async () => {
    const before = await filesIn();
    const newest = (await (await opened()).checkpoints(0)).at(-1)?.file as string;
    await truncate(newest, 50);
    await expect(prune({ olderThanMs: 0 })).rejects.toThrow(newest);
    expect(await filesIn()).toEqual(before);
  });

  test("forks go by age like everything else", async () => {
    store = new MemoryPartitionStore({ deployment: DEPLOYMENT });
    await new Journal(store).grow(5_900);
    await new Journal(store, 0, "after").grow(5_000);
    await archive({ segmentBytes: 10_000, checkpoint: true });
    const { parts } = await prune({ olderThanMs: 2 * DAY_MS });
    expect(parts.filter(({ what }) => what === "fork")).toMatchObject([{ first: 5_901, last: 6_000 }]);
    expect(await (await opened()).forks(0)).toEqual([]);
  });
});
