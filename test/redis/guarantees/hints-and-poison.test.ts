/** P2, P10: what is committed depends on facts alone. Queues that lose everything cost some latency, a poisonous event costs its own session. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import { eventBody } from "../../../src/ingest/inbox-body.js";
import { partitionOf, sessionKey } from "../../../src/store/session-key.js";
import { TENANT } from "../../support/deployment.js";
import { type LiveWorker, startLiveWorker } from "../../support/live-worker.js";

const PER_SECOND = 100;
const FOR_MS = 5_000;
const EVENTS = (PER_SECOND * FOR_MS) / 1_000;
const DEVICES = 20;
const SUBJECTS = Array.from({ length: DEVICES }, (_, device) => `phone-${device}/adele`);

let live: LiveWorker;

beforeEach(async () => {
  live = await startLiveWorker();
  for (const subject of SUBJECTS) await live.deployment.getIn(subject);
});
afterEach(() => live.stop());

const comeAndGo = (n: number): object =>
  live.deployment.event(
    Math.floor(n / DEVICES) % 2 === 0 ? "app.backgrounded" : "app.foregrounded",
    {},
    SUBJECTS[n % DEVICES],
  );

const p99 = (waits: readonly number[]): number => waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0;

describe("P2: BullMQ's keys deleted under load", { timeout: 60_000 }, () => {
  test("nothing is lost, and events wait 2 s at most (p99)", async ({ annotate }) => {
    const { connection, redis, deployment } = live;
    const before = (await deployment.counters())["applied"] ?? 0;
    let isOver = false;
    let deleted = 0;
    const deleting = (async () => {
      while (!isOver) {
        const keys = await connection.keys(`{${redis.prefix}:*}*`);
        const ofQueues = keys.filter((key) => /:(wake-\d+|effects)\}/.test(key));
        if (ofQueues.length > 0) deleted += await connection.del(...ofQueues);
        await delay(50);
      }
    })();
    const waits = await live.wait({ perSecond: PER_SECOND, forMs: FOR_MS, event: comeAndGo });
    isOver = true;
    await deleting;
    await annotate(`${deleted} keys deleted; p99 ${Math.round(p99(waits))} ms of ${waits.length} events`);
    expect(deleted).toBeGreaterThan(10);
    expect(waits).toHaveLength(EVENTS);
    const { applied = 0, ignored = 0 } = await deployment.counters();
    expect(applied + ignored - before).toBeGreaterThanOrEqual(EVENTS);
    expect(p99(waits)).toBeLessThanOrEqual(2_000);
  });
});

describe("P2: a poisonous event under load", { timeout: 60_000 }, () => {
  test("sets its own session aside, and nobody else waits for more than a second", async ({ annotate }) => {
    const { store, deployment } = live;
    const poisoned = ["phone-3", "phone-11", "phone-16"];
    /** As nobody could report it: the fold trips over it. */
    const poison = async (device: string): Promise<void> => {
      const session = `${TENANT}/${device}/adele/azure-mobile` as const;
      const event = { type: "membership.changed", groups: null } as unknown as SessionEvent;
      const body = eventBody({
        session,
        device,
        source: "app://test",
        id: `poison-${device}`,
        time: Date.now(),
        event,
      });
      const partition = partitionOf(TENANT, device, store.deployment.partitionCount);
      const append = { session: sessionKey(session), body, time: Date.now(), fingerprint: null };
      if ((await store.ingest(partition, [append])).wake) deployment.wake(partition);
    };
    const poisoning = (async () => {
      for (const device of poisoned) {
        await delay(FOR_MS / 5);
        await poison(device);
      }
    })();
    const waits = await live.wait({ perSecond: PER_SECOND, forMs: FOR_MS, event: comeAndGo });
    await poisoning;
    for (const [subject, device] of SUBJECTS.map((one) => [one, one.split("/")[0] as string] as const)) {
      const { reasons } = await deployment.decide(device);
      expect([subject, reasons.includes("session.quarantined")]).toEqual([subject, poisoned.includes(device)]);
    }
    await annotate(
      `p99 ${Math.round(p99(waits))} ms, longest ${Math.round(Math.max(...waits))} ms of ${waits.length} events`,
    );
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
  });
});
