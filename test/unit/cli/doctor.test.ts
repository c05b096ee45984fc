/** From what was measured to what the doctor says. */
import { describe, expect, test } from "vitest";
import { effectsCheck, webhooksCheck } from "../../../src/cli/doctor/delivery-checks.js";
import { archiveCheck, journalCheck } from "../../../src/cli/doctor/keeping-checks.js";
import { clockCheck, memoryCheck } from "../../../src/cli/doctor/server-checks.js";
import { quarantineCheck } from "../../../src/cli/doctor/tenant-checks.js";
import {
  backlogCheck,
  deadlinesCheck,
  deploymentCheck,
  stuckPartitions,
  walkCheck,
  workersCheck,
} from "../../../src/cli/doctor/work-checks.js";
import type { PartitionFacts } from "../../../src/metrics/deployment-facts.js";
import type { ReceiverFacts } from "../../../src/metrics/receiver-facts.js";

const partition = (changes: Partial<PartitionFacts> = {}): PartitionFacts => ({
  partition: 0,
  token: "one",
  now: 1_000_000,
  sessions: 10,
  seq: 20,
  archive: null,
  journalBytes: 100,
  waiting: 0,
  waitMs: 0,
  timersLate: 0,
  overdueMs: 0,
  outbox: 0,
  unwalked: 0,
  ...changes,
});
const now = (...after: PartitionFacts[]) => ({ before: after, after });

describe("work", () => {
  test.each([
    [{ waiting: 3, waitMs: 500 }, "ok"],
    [{ waiting: 3, waitMs: 5_000 }, "warning"],
    [{ waiting: 3, waitMs: 20_000 }, "failed"],
    [{}, "ok"],
  ])("events that wait: %j is %s", (facts, level) => {
    expect(backlogCheck(now(partition(facts))).level).toBe(level);
  });

  test.each([
    [{ timersLate: 1, overdueMs: 900 }, "ok"],
    [{ timersLate: 1, overdueMs: 3_000 }, "warning"],
    [{ timersLate: 1, overdueMs: 60_000 }, "failed"],
  ])("deadlines: %j is %s", (facts, level) => {
    expect(deadlinesCheck(now(partition(facts))).level).toBe(level);
  });

  test("stuck is what had work at both looks and committed nothing between them", () => {
    const looks = (before: Partial<PartitionFacts>, after: Partial<PartitionFacts>) =>
      stuckPartitions({ before: [partition(before)], after: [partition(after)] }).length;
    expect(looks({ waiting: 1 }, { waiting: 5 })).toBe(1);
    expect(looks({ timersLate: 1 }, { timersLate: 1 })).toBe(1);
    expect(looks({ waiting: 1 }, { waiting: 1, token: "two" })).toBe(0);
    expect(looks({ waiting: 1 }, {})).toBe(0);
    expect(looks({}, { waiting: 1 })).toBe(0);
  });

  test("no worker is a warning; one that can't be told is none", () => {
    expect([0, 2, undefined].map((workers) => workersCheck(workers).level)).toEqual(["warning", "ok", "ok"]);
  });

  test("a walk that goes on is well, one that does not is worth a look", () => {
    const check = (before: number, after: number) =>
      walkCheck({ before: [partition({ unwalked: before })], after: [partition({ unwalked: after })] }).level;
    expect([check(9, 4), check(9, 9), check(9, 0)]).toEqual(["ok", "warning", "ok"]);
  });

  test("where the clock is the events' own it may be anywhere", () => {
    const looks = now(partition({ now: 9_000_000 }));
    expect([
      deploymentCheck(looks, "redis", 1_000_000).level,
      deploymentCheck(looks, "event", 1_000_000).level,
    ]).toEqual(["warning", "ok"]);
  });
});

describe("Redis", () => {
  test.each([
    [{ aheadMs: 400, tookMs: 1 }, "ok"],
    [{ aheadMs: -1_400, tookMs: 1 }, "warning"],
    // The answer took so long that it may all be the way.
    [{ aheadMs: -1_400, tookMs: 1_000 }, "ok"],
    [{ aheadMs: 45_000, tookMs: 1 }, "failed"],
  ])("clocks: %j is %s", (clocks, level) => {
    expect(clockCheck(clocks).level).toBe(level);
  });

  test("says which way the clock is off", () => {
    expect(clockCheck({ aheadMs: 5_000, tookMs: 0 }).detail).toContain("5 s ahead of");
    expect(clockCheck({ aheadMs: -5_000, tookMs: 0 }).detail).toContain("5 s behind");
  });

  test.each([
    [50, 100, 1_000, "ok"],
    [85, 100, 1_000, "warning"],
    [96, 100, 1_000, "failed"],
    [850, 0, 1_000, "warning"],
    [850, 0, 0, "ok"],
  ])("memory: %i of %i, on a machine with %i, is %s", (usedMemoryBytes, maxMemoryBytes, systemMemoryBytes, level) => {
    const memory = { server: "redis:6379", usedMemoryBytes, maxMemoryBytes, systemMemoryBytes };
    expect(memoryCheck([{ ...memory, maxmemoryPolicy: "noeviction" }]).level).toBe(level);
  });

  test.each([
    ["refuses events", 100, "noeviction", "nothing is lost"],
    ["throws data away", 100, "allkeys-lru", "throws stored data away"],
    ["is ended, where it has no limit", 0, "noeviction", "Set maxmemory"],
  ])("a full one %s: said", (_, maxMemoryBytes, maxmemoryPolicy, said) => {
    const memory = { server: "redis:6379", usedMemoryBytes: 96, maxMemoryBytes, systemMemoryBytes: 100 };
    expect(memoryCheck([{ ...memory, maxmemoryPolicy }]).fix).toContain(said);
  });
});

describe("deliveries", () => {
  const figures = {
    waiting: 0,
    spent: 0,
    delivered: 0,
    spentEver: 0,
    forgotten: 0,
    failures: 0,
    failingSince: null,
    nextAttempt: null,
  };
  const receiver = (changes: Partial<ReceiverFacts> = {}): ReceiverFacts => ({
    receiver: "wh_1",
    tenant: "contoso",
    state: "active",
    figures,
    ...changes,
  });

  test("a receiver that fails for long is named", () => {
    const failing = { ...figures, failures: 4, failingSince: 1_000_000, waiting: 7 };
    const check = (at: number) => effectsCheck([receiver({ figures: failing })], 0, at);
    expect(check(1_010_000).level).toBe("ok");
    expect(check(1_600_000)).toMatchObject({
      level: "warning",
      detail: "7 effects wait for delivery; wh_1 has not answered well for 10 min",
    });
  });

  test("what was removed is nobody's trouble any more, what is paused is somebody's decision", () => {
    const spent = { ...figures, spent: 3 };
    expect(effectsCheck([receiver({ state: "removed", figures: spent })], 0, 0).level).toBe("ok");
    expect(webhooksCheck([receiver({ state: "removed" }), receiver({ state: "paused" })])).toMatchObject({
      level: "ok",
      detail: "1 endpoint, 1 of them paused by somebody",
    });
  });
});

describe("the past", () => {
  test("a journal over its bound: held back by the archive, or idle", () => {
    const over = (changes: Partial<PartitionFacts>) =>
      journalCheck([partition({ journalBytes: 2_000, ...changes })], { journalMaxBytes: 1_000 });
    expect(over({ archive: { seq: 3, checkpoint: 3 } }).fix).toContain("archive run");
    expect(over({}).fix).toContain("idle");
    expect(over({ journalBytes: 1_200 }).level).toBe("ok");
  });

  test("an archive that is run once a day is well", () => {
    const hour = 3_600_000;
    expect([null, 0, 24 * hour, 30 * hour].map((age) => archiveCheck(age).level)).toEqual([
      "ok",
      "ok",
      "ok",
      "warning",
    ]);
  });

  test("sessions that were set aside are named, a few of them", () => {
    const found = Array.from({ length: 5 }, (_, n) => ({
      session: `contoso/phone-${n}/adele/azure-mobile`,
      partition: 0,
      kind: "quarantined" as const,
      reason: "it threw",
    }));
    expect(quarantineCheck(found).detail).toBe(
      "5 sessions are set aside, and denied: phone-0/adele, phone-1/adele, phone-2/adele and 2 more",
    );
  });
});
