/** P1, P2: Redis is killed with `kill -9` under load and started again on its files: what was accepted is there, once and in order. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JournalRecord } from "../../../machines/outcome.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";
import { eventually } from "../../support/eventually.js";

const KILLS = 5;
/** Accepted between two of them. */
const EVENTS_BETWEEN_KILLS = 60;
/** Long enough that many requests meet a server that is not there. */
const GONE_MS = 500;
const ANSWERED_WITHIN_MS = 2_000;
const DEVICES = 8;

let directory: string;
let redis: PrivateRedis;
let api: TestApi;

const start = async (): Promise<PrivateRedis> => startPrivateRedis({ directory: join(directory, "redis") });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-redis-killed-"));
  redis = await start();
  api = await startApi({ worker: true, redis: { url: redis.url, prefix: "gh", stop: () => redis.stop() } });
});
afterAll(async () => {
  await api.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Ids of each device's records of what it reported, in the journals' order. */
async function recorded(): Promise<Map<string, string[]>> {
  const { store } = api.deployment;
  const found = new Map<string, string[]>();
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    const { seq } = await store.load(partition, { entries: 1, bytes: 1 });
    const numbers = Array.from({ length: seq }, (_, n) => n + 1);
    for (const entry of await store.records(partition, numbers)) {
      if (entry === null || !("body" in entry)) continue;
      const { session, origin } = JSON.parse(entry.body) as JournalRecord;
      if (origin === undefined) continue;
      const [, device = ""] = session.split("/");
      found.set(device, [...(found.get(device) ?? []), origin.id]);
    }
  }
  return found;
}

describe("P1: Redis dies under load and comes back", () => {
  test(
    `${KILLS} times: nothing that was accepted is lost, and whoever asks meanwhile is answered within 2 s`,
    {
      timeout: 90_000,
    },
    async ({ annotate }) => {
      let isOver = false;
      const answers: { readonly status: number; readonly tookMs: number; readonly code: unknown }[] = [];
      const accepted = new Map<string, string[]>();
      /** One thing after the other, each for as long as nobody can tell what became of it. */
      const device = async (name: string): Promise<void> => {
        const ids: string[] = [];
        accepted.set(name, ids);
        const tell = async (event: Record<string, unknown>): Promise<void> => {
          while (true) {
            const askedAt = performance.now();
            const { status, body } = await api.ask("/v1/events", { body: event });
            answers.push({ status, tookMs: performance.now() - askedAt, code: body.code });
            if (status === 202) {
              ids.push(String(event["id"]));
              return;
            }
            await delay(50);
          }
        };
        const subject = `${name}/adele`;
        await tell(cloudEvent("account.signedIn", { platform: "ios" }, { subject }));
        for (let turn = 0; !isOver; turn++) {
          await tell(cloudEvent(turn % 2 === 0 ? "app.backgrounded" : "app.foregrounded", {}, { subject }));
        }
      };
      const total = (): number => [...accepted.values()].reduce((sum, { length }) => sum + length, 0);
      const someMore = async (): Promise<void> => {
        const before = total();
        await eventually(total).toBeGreaterThanOrEqual(before + EVENTS_BETWEEN_KILLS);
      };
      const devices = Promise.all(Array.from({ length: DEVICES }, (_, n) => device(`phone-${n}`)));
      for (let kill = 0; kill < KILLS; kill++) {
        await someMore();
        process.kill(redis.pid, "SIGKILL");
        await delay(GONE_MS);
        redis = await start();
      }
      await someMore();
      isOver = true;
      await devices;

      const others = answers.filter(({ status }) => status !== 202);
      const slowest = Math.max(...answers.map(({ tookMs }) => tookMs));
      await annotate(`${total()} accepted, ${others.length} answered 503, the slowest after ${Math.round(slowest)} ms`);
      expect(others.length).toBeGreaterThan(KILLS);
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([503]));
      for (const { code } of others) expect(["ingest.outcome_unknown", "store.unavailable"]).toContain(code);
      expect(slowest).toBeLessThanOrEqual(ANSWERED_WITHIN_MS);
      await eventually(recorded).toEqual(accepted);
    },
  );
});
