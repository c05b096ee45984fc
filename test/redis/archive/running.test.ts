/** Archiving a deployment on a real Redis while it works, and erasing people from what is archived. */
import { readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ArchiveOptions, archiveJournals } from "../../../src/archive/archive-journals.js";
import { JournalArchive } from "../../../src/archive/journal-archive.js";
import { erasePerson, previewErasure } from "../../../src/erase/erase-person.js";
import { connectStore } from "../../../src/redis/connection.js";
import { oneAfterTheOther, readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import { GENESIS_HEAD, verifyChain } from "../../../src/store/journal-chain.js";
import type { JournalEntry, PartitionStore, StoredRecord } from "../../../src/store/partition-store.js";
import { readStored } from "../../../src/store/partition-view.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { sessionKey } from "../../../src/store/session-key.js";
import { verifyJournal } from "../../../src/store/verify-journal.js";
import { Journal, archiveDirectory, zcat } from "../../support/archived.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const PARTITIONS = 3;

let server: TestRedis;
let redis: Redis;
let home: Awaited<ReturnType<typeof archiveDirectory>>;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  home = await archiveDirectory();
  store = await openRedisPartitionStore(redis, { prefix: server.prefix, deployment: { partitionCount: PARTITIONS } });
  deployment = new TestDeployment(store, Date.now());
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
});
afterEach(async () => {
  redis.disconnect();
  await home.remove();
  await server.stop();
});

const archive = async (options: ArchiveOptions = {}) =>
  archiveJournals(home.path, { store, prefix: server.prefix }, options);

const id = (subject: string) => `${TENANT}/${subject}/azure-mobile` as const;

async function archived(partition: number): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of (await JournalArchive.open(home.path)).stream(partition)) entries.push(entry);
  return entries;
}

/** All that the archive's files say. */
async function everything(): Promise<string> {
  const files = (await readdir(home.path, { recursive: true })).filter((file) => file.endsWith(".gz"));
  return files.map((file) => zcat(join(home.path, file))).join("");
}

test("beside workers, the archive has every record, and each checkpoint is right after its own", async () => {
  let stop = false;
  const busy = (async () => {
    for (let n = 0; !stop; n++) {
      await deployment.getIn(`phone-${n % 40}/user-${n % 40}`);
      await deployment.drainAll();
    }
  })();
  for (let round = 0; round < 6; round++) await archive({ checkpoint: true });
  stop = true;
  await busy;
  await archive();

  const reader = await JournalArchive.open(home.path);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const entries = await archived(partition);
    const [survey] = await store.survey([partition]);
    expect(entries.at(-1)?.seq).toBe(survey?.seq);
    expect(entries).toEqual(
      await store.records(
        partition,
        entries.map(({ seq }) => seq),
      ),
    );
    const newest = new Map<string, number>();
    const checkpoints = await reader.checkpoints(partition);
    expect(checkpoints.length).toBeGreaterThan(1);
    for (const { seq } of checkpoints) {
      for (const entry of entries.slice(0, seq)) {
        const { session } = JSON.parse((entry as StoredRecord).body) as { session: string };
        newest.set(sessionKey(session), entry.seq);
      }
      const checkpoint = await reader.checkpoint(partition, seq);
      expect(checkpoint?.head).toBe(entries[seq - 1]?.hash);
      const told = [...(checkpoint?.snapshots ?? [])].map(([key, text]) => {
        const session = readStored(text);
        return [key, "unreadable" in session ? 0 : session.lastRecord];
      });
      expect(new Map(told as [string, number][])).toEqual(newest);
    }
  }
});

test("a session's history is the same from Redis, over the boundary, and from the archive alone", async () => {
  const small = await openRedisPartitionStore(redis, {
    prefix: `${server.prefix}-small`,
    deployment: { partitionCount: 1, clock: "event", journalMaxBytes: 60_000 },
  });
  const journal = new Journal(small);
  const run = async () => archiveJournals(home.path, { store: small, prefix: "small" }, { checkpoint: true });
  await run();
  for (let n = 0; n < 20; n++) {
    await journal.grow(100);
    await run();
  }
  const last = journal.lastOf("adele");
  const reader = await JournalArchive.open(home.path);
  expect((await readHistory(small, 0, last)).cut).toBe("trimmed");
  const over = await readHistory(oneAfterTheOther(small, reader), 0, last);
  expect(over.cut).toBeUndefined();
  expect(over.records).toHaveLength(666);
  expect(await reader.history("contoso/phone-adele/adele/azure-mobile")).toEqual(over);
  expect(await verifyJournal(small, 0)).toMatchObject({ intact: true });
});

test("a damaged file holds up its own partition, and is told; the others are archived", async () => {
  for (let n = 0; n < 20; n++) await deployment.getIn(`phone-${n}/adele`);
  await deployment.drainAll();
  await archive();
  const reader = await JournalArchive.open(home.path);
  const [segment] = await reader.segments(0);
  await truncate(segment?.file as string, 100);
  for (let n = 20; n < 40; n++) await deployment.getIn(`phone-${n}/adele`);
  await deployment.drainAll();
  await expect(archive()).rejects.toMatchObject({ code: "archive.damaged", place: { file: segment?.file } });
  for (const { partition, seq, archive: noted } of await store.survey([1, 2])) {
    expect(noted?.seq).toBe(seq);
    expect((await reader.tail(partition))?.seq).toBe(seq);
  }
});

test("erasing a person reaches segments, checkpoints and forks; chains and other people's pasts stay", async () => {
  for (const subject of ["phone-1/adele", "phone-1/bruno", "phone-2/adele", "phone-3/carol"])
    await deployment.getIn(subject);
  await deployment.drainAll();
  await archive();
  // A lost branch, and what went on instead of it.
  const partition = (await look(deployment, id("phone-3/carol"))).partition;
  const key = `${server.prefix}:{p${partition}}:`;
  const lost = await Promise.all([
    redis.dumpBuffer(`${key}journal`),
    redis.dumpBuffer(`${key}meta`),
    redis.dumpBuffer(`${key}sessions`),
  ]);
  await deployment.send(deployment.event("app.backgrounded", {}, "phone-3/carol"));
  await deployment.drainAll();
  await archive();
  for (const [index, name] of ["journal", "meta", "sessions"].entries()) {
    await redis.del(`${key}${name}`);
    await redis.restore(`${key}${name}`, 0, lost[index] as Buffer);
  }
  await redis.del(`${key}inbox`);
  await deployment.send(deployment.event("app.foregrounded", {}, "phone-3/carol"));
  await deployment.drainAll();
  expect((await archive({ checkpoint: true })).filter((one) => one.fork !== undefined)).toMatchObject([{ partition }]);

  const { users, rules } = deployment;
  const target = { store, users, rules, prefix: server.prefix, redis, archive: home.path };
  const historyOf = async (subject: string) => (await JournalArchive.open(home.path)).history(id(subject));
  const bruno = await historyOf("phone-1/bruno");

  const open = await JournalArchive.open(home.path);
  await open.segments(partition);

  for (const user of ["adele", "carol"]) {
    expect(await everything()).toContain(`/${user}/`);
    const { found } = await previewErasure(target, { tenant: TENANT, user });
    expect(found.archived).toBeGreaterThan(4);
    const erased = await erasePerson(target, { tenant: TENANT, user }, { by: "test", despiteWipe: false });
    expect(erased.archived).toBe(found.archived);
    expect(await everything()).not.toContain(user);
  }
  expect((await historyOf("phone-1/bruno")).records).toEqual(bruno.records);
  expect((await historyOf("phone-1/adele")).records).toEqual([]);
  // A reader that knew the files from before finds them rewritten, not damaged.
  const now = await archived(partition);
  const seqs = now.map(({ seq }) => seq);
  expect(await open.records(partition, seqs)).toEqual(now);
  for (let n = 0; n < PARTITIONS; n++) {
    const entries = await archived(n);
    if (entries.length > 0) expect(verifyChain(GENESIS_HEAD, 1, entries)).toMatchObject({ intact: true });
  }
  await deployment.getIn("phone-1/dora");
  await deployment.drainAll();
  await archive();
  expect(await everything()).not.toMatch(/adele|carol/);
});
