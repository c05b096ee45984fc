/** Archived journals, folded again: with Redis, where that has no more, and without it; from the first record, or from a checkpoint. */
import { rm, truncate } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ArchivedCatalogues, archiveCatalogues } from "../../../src/archive/archive-catalogues.js";
import { ArchiveDamagedError } from "../../../src/archive/archive-errors.js";
import { archiveJournals } from "../../../src/archive/archive-journals.js";
import { list, partitionDirectory } from "../../../src/archive/archive-layout.js";
import { JournalArchive } from "../../../src/archive/journal-archive.js";
import type { CatalogueDocument } from "../../../src/control/catalogue-document.js";
import { type ReplaySource, reachOf } from "../../../src/replay/journal-source.js";
import { replayPartition } from "../../../src/replay/replay-partition.js";
import { verifyPartition } from "../../../src/replay/verify-partition.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { archiveDirectory } from "../../support/archived.js";
import { POSTURE, TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";

const MINUTE_MS = 60_000;
const DEVICES = ["phone-1", "phone-2", "phone-3"];
const ios = samplePolicy("contoso-ios-level2");
const documentOf = (version: number, policies: readonly unknown[]): CatalogueDocument =>
  ({ version, policies, conditionalAccess: [], settings: {} }) as never;
const published = [documentOf(1, [ios]), documentOf(2, [{ ...ios, minimumRequiredOsVersion: "17.2" }])];

let home: Awaited<ReturnType<typeof archiveDirectory>>;
let store: MemoryPartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  home = await archiveDirectory();
  store = new MemoryPartitionStore({ deployment: { partitionCount: 1, clock: "event" } });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [ios]);
  for (const device of DEVICES) await deployment.getIn(`${device}/adele`);
  await live(60);
  await archive();
  await deployment.publish(2, published[1]?.policies as unknown[]);
  await live(60);
  await archive();
  await live(10);
});
afterEach(async () => home.remove());

/** They come and go. The third device's system is too old for the second policies. */
async function live(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    deployment.now += 7 * MINUTE_MS;
    const subject = `${DEVICES[turn % DEVICES.length]}/adele`;
    const osVersion = subject.startsWith("phone-3") ? "17.1" : "17.4.1";
    await deployment.send(
      deployment.event("posture.reported", { ...POSTURE, osVersion }, subject),
      deployment.event("app.backgrounded", {}, subject),
      deployment.event("checkin.succeeded", { policy: "unchanged" }, subject),
    );
    await deployment.drainAll();
  }
}

async function archive(): Promise<void> {
  await archiveJournals(home.path, { store, prefix: "gh" }, { checkpoint: true, segmentBytes: 1, catalogues });
}
const catalogues = {
  current: async () => published.length,
  documents: async (_: string, versions: readonly number[]) =>
    versions.flatMap((version) => published[version - 1] ?? []),
};

/** As if everything before this record had been trimmed. */
const trimmedTo = (oldest: number): PartitionStore =>
  new Proxy<PartitionStore>(store, {
    get: (target, name) => {
      if (name === "oldestRecord") return async () => oldest;
      if (name === "records")
        return async (partition: number, seqs: readonly number[]) =>
          (await store.records(partition, seqs)).map((entry) => (entry !== null && entry.seq < oldest ? null : entry));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });

const opened = async (): Promise<JournalArchive> => JournalArchive.open(home.path);
const both = async (oldest: number): Promise<ReplaySource> => ({
  store: trimmedTo(oldest),
  archive: await opened(),
  catalogues: deployment.catalogues,
});
const alone = async (): Promise<ReplaySource> => ({
  archive: await opened(),
  catalogues: new ArchivedCatalogues(home.path),
});
const segments = async () => (await list(partitionDirectory(home.path, 0))).segments;
const seq = async (): Promise<number> => (await store.chunk(0, null, 1)).seq;

describe("where Redis has no more", () => {
  test("nothing can be compared without the archive; with it everything is", async () => {
    const without = await verifyPartition({ store: trimmedTo(300), catalogues: deployment.catalogues }, 0);
    expect([without.compared, without.notReplayed.historyMissing, without.faultCount]).toEqual([0, 3, 0]);
    const verdict = await verifyPartition(await both(300), 0);
    expect(verdict).toMatchObject({ compared: 3, faultCount: 0, oldest: 1, records: await seq() });
  });

  test("the archive begins with a checkpoint: sessions go on from there, and their chain is checked from the first record that is kept", async () => {
    const [first, second] = await segments();
    await rm(first?.file ?? "");
    const source = await both(300);
    const { begin, oldest } = await reachOf(source, 0);
    expect([oldest, begin?.sessions.size]).toEqual([second?.first, 3]);
    const verdict = await verifyPartition(source, 0);
    expect(verdict).toMatchObject({ compared: 3, faultCount: 0, oldest });
    const report = await replayPartition(source, 0, { scope: {} });
    expect(report).toMatchObject({ sessions: 3, diverged: 0, notReplayed: { historyMissing: 0 } });
  });

  test("a change of the stored sessions shows, although the beginning is gone", async () => {
    await rm((await segments())[0]?.file ?? "");
    const source = await both(300);
    const [text = ""] = (await store.scan(0, null, 10)).snapshots;
    const forged = text.replace(/"r":\d+/, '"r":7');
    const changed = new Proxy(source.store as PartitionStore, {
      get: (target, name) =>
        name === "chunk"
          ? async (...args: Parameters<PartitionStore["chunk"]>) => {
              const chunk = await store.chunk(...args);
              const snapshots = [...chunk.snapshots].map(([key, one]) => [key, one === text ? forged : one] as const);
              return { ...chunk, snapshots: new Map(snapshots) };
            }
          : (Reflect.get(target, name, target) as unknown),
    });
    expect((await verifyPartition({ ...source, store: changed }, 0)).faults).toMatchObject([{ what: "snapshot" }]);
  });

  test("idle sessions are asked, too, what other policies would have done to them", async () => {
    await rm((await segments())[0]?.file ?? "");
    const content = documentOf(3, [{ ...ios, minimumRequiredOsVersion: "99.0" }]);
    const report = await replayPartition(await both(300), 0, {
      scope: {},
      imagined: { tenant: TENANT, at: 0, content },
    });
    expect(report.sessions).toBe(3);
    expect(report).toMatchObject({ loseAccess: 2, elsewhere: 2 });
  });
});

describe("without Redis", () => {
  test("journal and newest checkpoint agree, under the policies that are archived with them", async () => {
    const verdict = await verifyPartition(await alone(), 0);
    const last = (await segments()).at(-1)?.last;
    expect(verdict).toMatchObject({ compared: 3, faultCount: 0, seq: last, records: last });
    expect((await replayPartition(await alone(), 0, { scope: {} })).diverged).toBe(0);
  });

  test("a truncated segment is named", async () => {
    const file = (await segments())[1]?.file ?? "";
    await truncate(file, 200);
    await expect(verifyPartition(await alone(), 0)).rejects.toThrow(ArchiveDamagedError);
    await expect(verifyPartition(await alone(), 0)).rejects.toThrow(file);
  });

  test("policies that were published once are not written again", async () => {
    expect(await archiveCatalogues(home.path, { store, catalogues })).toBe(0);
    expect(await new ArchivedCatalogues(home.path).current(TENANT)).toBe(2);
  });
});
