/** One device floods the API, and others go on reporting: what becomes of the flood, and how much longer the others wait for their answers. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { readCatalogue } from "../../src/control/catalogue-document.js";
import { publish } from "../../src/control/publish.js";
import { walkProgress } from "../../src/control/walk-progress.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { API_NODE_FLAGS } from "../../src/node-flags.js";
import { connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Child } from "../core/child.js";
import { DEFAULT_TENANT } from "../core/material.js";
import { percentile } from "../core/percentile.js";
import { fleetPolicies } from "../fanout/fleet-policies.js";
import { seedFleet } from "../fanout/fleet.js";
import type { Answered } from "./sender.js";

export interface FloodOptions {
  /** How long each half is measured. */
  readonly seconds: number;
  /** Of all the others together. */
  readonly eventsPerSecond: number;
  readonly floodPerSecond: number;
  readonly progress: (what: string) => void;
}

/** Times in ms, from a request of one of the others to its answer. */
export interface FloodResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p50MsInFlood: number;
  readonly p99MsInFlood: number;
  /** Of the others: requests that were not answered with 202. */
  readonly othersRefused: number;
  /** Of the flood: events a second that were accepted, and that were refused. */
  readonly floodAcceptedPerSecond: number;
  readonly floodRefusedPerSecond: number;
}

const PREFIX = "bench";
const SESSIONS = 2_000;
/** As a client would that has much to say. */
const EVENTS_A_FLOOD_REQUEST = 50;
/** V8 compiles the way of a request for several seconds under load. */
const WARM_UP_MS = 8_000;
const POLL_MS = 100;

export async function flood({
  seconds,
  eventsPerSecond,
  floodPerSecond,
  progress,
}: FloodOptions): Promise<FloodResult> {
  const server = await startPrivateRedis({ fsync: "always" });
  const children: Child[] = [];
  const start = async (module: string, input: object, flags?: readonly string[]): Promise<Child> => {
    const child = new Child(module, input, flags);
    children.push(child);
    return child;
  };
  try {
    const { url } = server;
    const redis = await connectStore(url);
    await redis.config("SET", "auto-aof-rewrite-percentage", "0");
    const store = await openRedisPartitionStore(redis, { prefix: PREFIX, deployment: { clock: "redis" } });
    const policies = fleetPolicies(5);
    const target = { store, catalogues: new RedisCatalogues(redis, PREFIX), wake: () => {} };
    const version = await publish(target, DEFAULT_TENANT, policies);
    const worker = await start("../fanout/fleet-worker", { url, prefix: PREFIX });
    await worker.next("ready");
    while ((await walkProgress(store, { tenant: DEFAULT_TENANT, version })).partitionsWalking > 0) await delay(POLL_MS);
    const catalogue = readCatalogue({ ...policies, version });
    const subjects = await seedFleet(store, catalogue, DEFAULT_TENANT, SESSIONS, SESSIONS, () => {});
    redis.disconnect();
    const secretKey = randomBytes(32).toString("hex");
    const asked = { redisUrl: url, prefix: PREFIX, tenant: DEFAULT_TENANT, secretKey };
    const api = await start("../http/api", asked, API_NODE_FLAGS);
    const ready = await api.next<{ kind: "ready"; url: string; key: string }>("ready");

    const sender = async (about: readonly string[], perSecond: number, eventsPerRequest: number): Promise<Child> => {
      const input = { url: ready.url, key: ready.key, subjects: about, eventsPerSecond: perSecond, eventsPerRequest };
      const child = await start("../flood/sender", input);
      await child.next("ready");
      return child;
    };
    const answered = async (child: Child): Promise<Answered> => {
      const told = child.next<Answered>("answered");
      child.send("tell");
      return told;
    };
    const [flooding = "", ...calm] = subjects;
    progress(`${eventsPerSecond} events/s of ${calm.length} devices`);
    const others = await sender(calm, eventsPerSecond, 1);
    await delay(WARM_UP_MS);
    await answered(others);
    await delay(seconds * 1_000);
    const normal = await answered(others);
    progress(`the same, and ${floodPerSecond} events/s of one device`);
    const flooder = await sender([flooding], floodPerSecond, EVENTS_A_FLOOD_REQUEST);
    await delay(WARM_UP_MS);
    await answered(others);
    await answered(flooder);
    await delay(seconds * 1_000);
    const [inFlood, flooded] = [await answered(others), await answered(flooder)];
    const refused = ({ statuses }: Answered): number =>
      Object.entries(statuses).reduce((sum, [status, n]) => sum + (status === "202" ? 0 : n), 0);
    return {
      p50Ms: round(percentile(normal.waits, 0.5)),
      p99Ms: round(percentile(normal.waits, 0.99)),
      p50MsInFlood: round(percentile(inFlood.waits, 0.5)),
      p99MsInFlood: round(percentile(inFlood.waits, 0.99)),
      othersRefused: refused(normal) + refused(inFlood),
      floodAcceptedPerSecond: Math.round((flooded.totals["accepted"] ?? 0) / seconds),
      floodRefusedPerSecond: Math.round((flooded.totals["refused"] ?? 0) / seconds),
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await server.stop();
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
