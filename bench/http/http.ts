/**
 * The HTTP benchmark: what the API costs against a backend that shares the Redis, and how long a decision takes while events come in.
 * Everything is a process of its own, as in production; all of them share the machine.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { publish } from "../../src/control/publish.js";
import { readCatalogue } from "../../src/control/catalogue-document.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { walkProgress } from "../../src/control/walk-progress.js";
import { API_NODE_FLAGS } from "../../src/node-flags.js";
import { WakeQueue } from "../../src/queue/queues.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Child } from "../core/child.js";
import { DEFAULT_TENANT, type Material } from "../core/material.js";
import { percentile } from "../core/percentile.js";
import { material } from "../core/stream.js";
import { fleetPolicies } from "../fanout/fleet-policies.js";
import { seedFleet } from "../fanout/fleet.js";

export interface HttpOptions {
  /** Devices of the generated day that is ingested, about fifty events each. */
  readonly devices: number;
  /** How long decisions, and then bare requests, are measured. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly eventsPerSecond: number;
  readonly progress: (what: string) => void;
}

/** Rates in events/s, times in ms. */
export interface HttpResult {
  readonly ingestPerSecond: number;
  readonly directPerSecond: number;
  readonly decisionP50Ms: number;
  readonly decisionP99Ms: number;
  readonly livezP50Ms: number;
}

const PREFIX = "bench";
/** Batches of a hundred events that are on their way at once. */
const UNDERWAY = 4;
/** Of the events, sent first so that the code is compiled and the connections are made: not measured. */
const WARM_UP_SHARE = 0.3;
const SESSIONS = 20_000;
/** V8 compiles the way of a request for several seconds under load: until then its cost is several times what it stays at. */
const WARM_UP_SECONDS = 8;
const POLL_MS = 100;

export async function http(options: HttpOptions): Promise<HttpResult> {
  const { devices, progress } = options;
  progress(`making a working day of ${devices} devices`);
  const given = material(devices);
  progress(`the direct client, ${given.events.length} events in batches of 100`);
  const direct = await withRedis(async (url) => ingestRate(url, given, false));
  progress(`the HTTP client, ${given.events.length} events in batches of 100`);
  const ingest = await withRedis(async (url) => ingestRate(url, given, true));
  const waits = await withRedis(async (url) => decisionWaits(url, options));
  return {
    ingestPerSecond: Math.round(ingest),
    directPerSecond: Math.round(direct),
    decisionP50Ms: round(percentile(waits.decision, 0.5)),
    decisionP99Ms: round(percentile(waits.decision, 0.99)),
    livezP50Ms: round(percentile(waits.livez, 0.5)),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

async function withRedis<Result>(measure: (url: string) => Promise<Result>): Promise<Result> {
  const server = await startPrivateRedis({ fsync: "always" });
  try {
    return await measure(server.url);
  } finally {
    await server.stop();
  }
}

interface Ready {
  readonly kind: "ready";
  readonly url: string;
  readonly key: string;
}

async function startApi(redisUrl: string): Promise<{ readonly api: Child; readonly ready: Ready }> {
  const secretKey = randomBytes(32).toString("hex");
  const api = new Child("../http/api", { redisUrl, prefix: PREFIX, tenant: DEFAULT_TENANT, secretKey }, API_NODE_FLAGS);
  return { api, ready: await api.next<Ready>("ready") };
}

/** Accepted events a second. No worker runs: what is compared is the way in. */
async function ingestRate(url: string, { tenant, events }: Material, isOverHttp: boolean): Promise<number> {
  const redis = await connectStore(url);
  await openRedisPartitionStore(redis, { prefix: PREFIX, deployment: { clock: "event" } });
  redis.disconnect();
  const started = isOverHttp ? await startApi(url) : undefined;
  const client =
    started === undefined
      ? { url, tenant, prefix: PREFIX }
      : { url: started.ready.url, key: started.ready.key, lingerMs: 0, maxRequests: UNDERWAY };
  const emitter = new Child("../http/emitter", {
    client,
    events,
    // The HTTP client holds back what must not overtake: with more to choose from, its requests are full.
    waiting: isOverHttp ? 4 * UNDERWAY : UNDERWAY,
    warmUp: Math.round(events.length * WARM_UP_SHARE),
  });
  const { accepted, ms } = await emitter.next<{ kind: "emitted"; accepted: number; ms: number }>("emitted");
  await Promise.all([emitter.end(), started?.api.end()]);
  return accepted / (ms / 1_000);
}

interface Waits {
  readonly kind: "waits";
  /** Ms each. */
  readonly waits: readonly number[];
}

/** How long requests take beside live events, which come over HTTP as well and are committed by a worker. */
async function decisionWaits(
  url: string,
  { seconds, requestsPerSecond, eventsPerSecond, progress }: HttpOptions,
): Promise<{ readonly decision: readonly number[]; readonly livez: readonly number[] }> {
  const redis = await connectStore(url);
  // When Redis rewrites its append-only file depends on the file's size, and would fall into one of the measurements.
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  const store = await openRedisPartitionStore(redis, { prefix: PREFIX, deployment: { clock: "redis" } });
  const queueConnection = connectQueue(url);
  const wakeQueue = new WakeQueue(queueConnection, { prefix: PREFIX, wakeShards: 1 });
  const policies = fleetPolicies(5);
  const target = { store, catalogues: new RedisCatalogues(redis, PREFIX), wake: wakeQueue.wake };
  const version = await publish(target, DEFAULT_TENANT, policies);
  const worker = new Child("../fanout/fleet-worker", { url, prefix: PREFIX });
  await worker.next("ready");
  while ((await walkProgress(store, { tenant: DEFAULT_TENANT, version })).partitionsWalking > 0) await delay(POLL_MS);
  const catalogue = readCatalogue({ ...policies, version });
  const subjects = await seedFleet(store, catalogue, DEFAULT_TENANT, SESSIONS, SESSIONS, () => {});
  const { api, ready } = await startApi(url);

  const emitter = new Child("../http/live-emitter", { url: ready.url, key: ready.key, subjects, eventsPerSecond });
  await emitter.next("ready");
  const measure = async (paths: readonly string[]): Promise<readonly number[]> => {
    const load = { url: ready.url, key: ready.key, paths, requestsPerSecond, seconds, warmUpSeconds: WARM_UP_SECONDS };
    const requester = new Child("../http/requester", load);
    const { waits } = await requester.next<Waits>("waits");
    await requester.end();
    return waits;
  };
  const paths = subjects.map((subject) => {
    const [device = "", user = ""] = subject.split("/");
    return `/v1/decision?device=${device}&user=${user}`;
  });
  progress(`${requestsPerSecond} decisions/s beside ${eventsPerSecond} events/s`);
  const decision = await measure(paths);
  progress(`${requestsPerSecond} bare requests/s beside ${eventsPerSecond} events/s`);
  const livez = await measure(["/livez"]);

  await Promise.all([emitter.end(), api.end(), worker.end()]);
  await wakeQueue.close();
  queueConnection.disconnect();
  redis.disconnect();
  return { decision, livez };
}
