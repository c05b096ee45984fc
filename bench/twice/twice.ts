/**
 * A whole stream sent twice, within a window of duplicates that is sized for it: the second time nothing is accepted, nothing is recorded
 * and nothing follows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { publish } from "../../src/control/publish.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { RulesSource } from "../../src/control/rules-source.js";
import { demoPolicies } from "../../src/demo/policies.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { ingest } from "../../src/ingest/ingest.js";
import { createLogger } from "../../src/log.js";
import { connectStore } from "../../src/redis/connection.js";
import { compareIds } from "../../src/store/entry-id.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import { Drainer } from "../../workers/drain.js";
import { Turns } from "../../workers/turns.js";
import { DEFAULT_TENANT } from "../core/material.js";
import { PIN, POSTURE } from "../core/phone.js";

export interface TwiceOptions {
  readonly events: number;
  readonly redisUrl: string;
  /** Of keys that nobody else uses. */
  readonly prefix: string;
  readonly progress: (what: string) => void;
}

export interface TwiceResult {
  readonly events: number;
  /** Of the first and of the second sending. */
  readonly accepted: readonly [number, number];
  readonly duplicates: readonly [number, number];
  readonly records: readonly [number, number];
  readonly effects: readonly [number, number];
  readonly seconds: number;
}

const EVENTS_A_DEVICE = 50;
const CHUNK = 2_000;
/** Partitions drained side by side, as by a worker. */
const SIDE_BY_SIDE = 8;
const RETRY_MS = 100;
const START_MS = Date.UTC(2026, 2, 2, 8);
const TEN_MINUTES_MS = 600_000;
const OUTBOX_PAGE = 1_000;

const BEGINNING = [
  { type: "account.signedIn", data: { platform: "ios", interactive: true } },
  { type: "enrollment.completed", data: { result: "ENROLLMENT_SUCCEEDED" } },
  { type: "posture.reported", data: POSTURE },
  { type: "pin.set", data: { descriptor: PIN } },
] as const;
/** Every round is longer away than the policy allows, so that a PIN is due. */
const ROUND = [
  { type: "app.backgrounded", data: {} },
  { type: "app.backgrounded", data: {} },
  { type: "app.backgrounded", data: {} },
  { type: "app.backgrounded", data: {} },
  { type: "app.foregrounded", data: {} },
  { type: "pin.verified", data: { method: "pin" } },
] as const;

/** The n-th event, the same whenever it is asked for. */
function eventOf(n: number, devices: number): object {
  const [turn, device] = [Math.floor(n / devices), n % devices];
  const what = BEGINNING[turn] ?? ROUND[(turn - BEGINNING.length) % ROUND.length];
  return {
    specversion: "1.0",
    id: String(n),
    source: "app://bench",
    subject: `phone-${device}/adele`,
    time: new Date(START_MS + turn * TEN_MINUTES_MS).toISOString(),
    ...what,
  };
}

/** A machine that is busy with something else answers late. */
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await delay(RETRY_MS);
    }
  }
}

export async function twice({ events, redisUrl, prefix, progress }: TwiceOptions): Promise<TwiceResult> {
  const startedAt = performance.now();
  const redis = await connectStore(redisUrl);
  const store = await openRedisPartitionStore(redis, {
    prefix,
    deployment: { clock: "event", dedupeLimit: events, journalMaxBytes: 1_000_000 },
  });
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  const users = new RedisUserStore(redis, { prefix, deployment: store.deployment });
  const catalogues = new RedisCatalogues(redis, prefix);
  await publish({ store, catalogues, wake: () => {} }, DEFAULT_TENANT, demoPolicies().morning, { time: START_MS });
  const log = createLogger("silent", "bench");
  const drainer = new Drainer({ store, rules: new RulesSource(catalogues), log, onEffects: () => {} });
  const devices = Math.max(1, Math.floor(events / EVENTS_A_DEVICE));

  let effects = 0;
  /** Of each partition, the newest effect that was counted: a page that is read twice counts once. */
  const counted = new Map<number, string>();
  /** Drains a partition, and takes what follows off its outbox. */
  const tend = async (partition: number): Promise<void> => {
    for (let result = await drainer.drain(partition); result !== "drained"; result = await drainer.drain(partition)) {
      if (result === "failed") await delay(RETRY_MS);
    }
    for (;;) {
      const page = await patiently(async () => store.outbox(partition, null, OUTBOX_PAGE));
      if (page.length === 0) return;
      const ids = page.map(({ id }) => id);
      effects += ids.filter((id) => compareIds(id, counted.get(partition) ?? "0-0") > 0).length;
      counted.set(partition, ids.at(-1) as string);
      await patiently(async () => store.acknowledge(partition, ids));
    }
  };
  const turns = new Turns(SIDE_BY_SIDE);
  const tendAll = async (): Promise<unknown> => Promise.all(partitions.map(async (one) => turns.take(() => tend(one))));
  const recorded = async (): Promise<number> => {
    const loaded = await Promise.all(
      partitions.map(async (partition) => patiently(async () => store.load(partition, { entries: 1, bytes: 1 }))),
    );
    return loaded.reduce((sum, { seq }) => sum + seq, 0);
  };

  /** Sends until nothing is in doubt. @returns how many of them were not there before */
  const sendChunk = async (chunk: readonly object[], isFirst: boolean): Promise<number> => {
    const target = { store, users, wake: () => {} };
    const taken = new Set<number>();
    for (;;) {
      const { results, totals } = await ingest(target, DEFAULT_TENANT, chunk);
      if (totals.refused + totals.conflict > 0) throw new Error("every event must be taken");
      for (const [place, { status }] of results.entries()) {
        // What is in doubt the first time will be there after it, by this attempt or the next.
        if (status === "accepted" || (isFirst && status === "unknown")) taken.add(place);
      }
      if (totals.unknown === 0) return taken.size;
      await delay(RETRY_MS);
    }
  };

  const send = async (which: string, isFirst: boolean) => {
    const before = { effects, records: await recorded() };
    const sum = { accepted: 0, duplicates: 0 };
    let tended: Promise<unknown> = Promise.resolve();
    for (let from = 0; from < events; from += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, events - from) }, (_, n) => eventOf(from + n, devices));
      const accepted = await sendChunk(chunk, isFirst);
      sum.accepted += accepted;
      sum.duplicates += chunk.length - accepted;
      // What comes next is accepted while this is folded.
      await tended;
      tended = tendAll();
      if ((from / CHUNK) % 10 === 9) progress(`${which}: ${(from + chunk.length).toLocaleString("en")} events`);
    }
    await tended;
    await tendAll();
    return { ...sum, effects: effects - before.effects, records: (await recorded()) - before.records };
  };
  const first = await send("sent", true);
  const second = await send("sent again", false);
  redis.disconnect();
  const both = <Name extends keyof typeof first>(name: Name) => [first[name], second[name]] as const;
  return {
    events,
    accepted: both("accepted"),
    duplicates: both("duplicates"),
    records: both("records"),
    effects: both("effects"),
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
  };
}
