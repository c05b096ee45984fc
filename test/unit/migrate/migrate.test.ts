/** A version of the machine to come: which sessions land there is said beforehand; and releases of two versions side by side mix nothing up. */
import { beforeEach, describe, expect, test } from "vitest";
import { SESSION_CHART, chartOf, restingStates } from "../../../machines/session/chart-runner.js";
import { sessionChart } from "../../../machines/session/chart.js";
import { type MachineVersion, type Migration, THIS_MACHINE } from "../../../machines/session/machine-versions.js";
import { snapshotVersion } from "../../../machines/session/snapshot.js";
import { THIS_RELEASE, type Landed, landSessions, mergeLanded } from "../../../src/migrate/land-sessions.js";
import { migratePartition } from "../../../src/migrate/migrate-partition.js";
import { CLOCK_BODY } from "../../../src/ingest/inbox-body.js";
import { readCounters } from "../../../src/store/counters.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { BROADCAST } from "../../../src/store/partition-store.js";
import { partitionOf } from "../../../src/store/session-key.js";
import { POSTURE, TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";

const next = (migrate: Migration = (session) => session): MachineVersion => ({
  ...THIS_MACHINE,
  version: THIS_MACHINE.version + 1,
  migrations: new Map([[THIS_MACHINE.version, migrate]]),
});

let store: MemoryPartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  store = new MemoryPartitionStore({ deployment: { partitionCount: 4, clock: "event" } });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  for (const device of ["phone-1", "phone-2", "phone-3"]) await deployment.getIn(`${device}/adele`);
  await deployment.send(deployment.event("posture.reported", { ...POSTURE, osVersion: "16.7" }, "phone-2/adele"));
  await deployment.drainAll();
});

const partitions = [0, 1, 2, 3];
const landed = async (machine: MachineVersion, chart = SESSION_CHART): Promise<Landed> =>
  mergeLanded(
    await Promise.all(partitions.map(async (partition) => landSessions(deployment, partition, { machine, chart }))),
  );
const versions = async (): Promise<(number | undefined)[]> =>
  (await Promise.all(partitions.map(async (partition) => store.scan(partition, null, 100))))
    .flatMap(({ snapshots }) => snapshots)
    .map(snapshotVersion);

describe("a dry run", () => {
  test("of this release: every session is where it should be", async () =>
    expect(await landed(THIS_RELEASE.machine)).toEqual({ versions: { 1: 3 }, notLandedCount: 0, notLanded: [] }));

  test("names whoever would not land, and why; and writes nothing", async () => {
    const before = await versions();
    const { notLandedCount, notLanded } = await landed(
      next((session) => {
        if (session.state.startsWith("remediating")) throw new Error("remediation begins anew there");
        return session;
      }),
    );
    expect(notLandedCount).toBe(1);
    expect(notLanded[0]).toMatchObject({
      session: `${TENANT}/phone-2/adele/azure-mobile`,
      version: 1,
      why: expect.stringContaining("remediation begins anew there") as string,
    });
    expect(await versions()).toEqual(before);
  });

  test("folds them on to now: a chart in which a deadline fails is found", async () => {
    const failing = chartOf(
      sessionChart.provide({
        guards: {
          attemptsAreLeft: () => {
            throw new Error("no such thing");
          },
        },
      }),
    );
    // The attempt's time limit has passed, and no worker was there.
    deployment.now += 3_600_000;
    const clock = { session: BROADCAST, body: CLOCK_BODY, time: deployment.now, fingerprint: null };
    await store.ingest(partitionOf(TENANT, "phone-2", partitions.length), [clock]);
    const { notLanded } = await landed({ ...next(), states: restingStates(failing) }, failing);
    expect(notLanded.map(({ why }) => why)).toEqual([expect.stringContaining("no such thing")]);
  });
});

describe("two releases side by side", () => {
  test("idle sessions are written as the newer one has them, and are the same sessions", async () => {
    const counted = await readCounters(store);
    let written = 0;
    for (const partition of partitions) written += await migratePartition(store, partition, next());
    expect(written).toBe(3);
    expect(await versions()).toEqual([2, 2, 2]);
    expect(await readCounters(store)).toEqual(counted);
    expect(await landed(next())).toMatchObject({ versions: { 2: 3 }, notLandedCount: 0 });
  });

  test("a session that moves is counted where it goes", async () => {
    const before = await readCounters(store);
    const lockAll = next((session) => ({ ...session, state: session.state === "active" ? "locked" : session.state }));
    for (const partition of partitions) await migratePartition(store, partition, lockAll);
    const after = await readCounters(store);
    expect([after["in.active"], after["in.locked"]]).toEqual([
      0,
      (before["in.locked"] ?? 0) + (before["in.active"] ?? 0),
    ]);
  });

  test("the older one leaves alone what the newer one wrote, denies, and goes on with the others", async () => {
    const partition = partitionOf(TENANT, "phone-1", partitions.length);
    await migratePartition(store, partition, next());
    const written = await store.scan(partition, null, 100);
    for (const device of ["phone-1", "phone-2", "phone-3"]) {
      await deployment.send(deployment.event("app.backgrounded", {}, `${device}/adele`));
    }
    const results = await Promise.all(partitions.map(async (one) => deployment.drainer.drain(one)));
    expect(results[partition]).toBe("failed");
    expect(await store.scan(partition, null, 100)).toEqual(written);
    expect(results.filter((_, one) => one !== partition)).not.toContain("failed");
    expect((await deployment.decide("phone-1")).decision).toBe("deny");
  });

  test("one that does not land stays as it was", async () => {
    const none = next(() => {
      throw new Error("nobody lands");
    });
    for (const partition of partitions) expect(await migratePartition(store, partition, none)).toBe(0);
    expect(await versions()).toEqual([1, 1, 1]);
  });
});
