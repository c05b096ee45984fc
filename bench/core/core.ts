/**
 * The core benchmark: XState alone, the plain way and Gatehouse on the same events in one run, then how long an event waits at low load
 * and what an idle session costs. Each way has a fresh Redis with `appendfsync always`, an emitter process and a worker process.
 */
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { connectStore } from "../../src/redis/connection.js";
import { RedisCatalogues } from "../../src/control/redis-catalogues.js";
import { publish } from "../../src/control/publish.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Child } from "./child.js";
import type { Material } from "./material.js";
import { percentile } from "./percentile.js";
import { sessionBytes } from "./session-bytes.js";
import { material } from "./stream.js";
import { xstateAlone } from "./xstate-alone.js";

export interface CoreOptions {
  /** Devices of the generated day, about fifty events each. */
  readonly devices: number;
  readonly sessions: number;
  /** Told what is being measured. */
  readonly progress: (what: string) => void;
}

/** Rates in events/s, times in ms, sizes in bytes. */
export interface CoreResult {
  readonly xstate: number;
  readonly bullmq: number;
  readonly gatehouse: number;
  readonly gatehouseToBullmq: number;
  readonly gatehouseToXstate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bullmqP99Ms: number;
  readonly bytesPerSession: number;
}

const LOW_LOAD_PER_SECOND = 200;
const LOW_LOAD_EVENTS = 2_000;
/** The plain way is given a share of the events: its rate does not depend on how many there are. */
const PLAIN_SHARE = 0.3;
/** Of each way's events, sent first so that the code is compiled and the connections are made: not measured. */
const WARM_UP_SHARE = 0.3;
const PREFIX = "bench";

export async function core({ devices, sessions, progress }: CoreOptions): Promise<CoreResult> {
  progress(`making a working day of ${devices} devices`);
  const all = material(devices);

  progress(`XState alone, ${all.events.length} events`);
  xstateAlone(all);
  const xstate = xstateAlone(all);

  const some = { ...all, events: all.events.slice(0, Math.round(all.events.length * PLAIN_SHARE)) };
  progress(`the plain way, ${some.events.length} events`);
  const bullmq = await withRedis(async (url) => plainWay(url, some, Math.round(some.events.length * WARM_UP_SHARE)));

  progress(`Gatehouse, ${all.events.length} events`);
  const gatehouse = await withRedis(async (url) =>
    gatehouseWay(url, all, Math.round(all.events.length * WARM_UP_SHARE)),
  );

  const few = { ...all, events: all.events.slice(0, 3 * LOW_LOAD_EVENTS) };
  progress(`a bare BullMQ job at ${LOW_LOAD_PER_SECOND}/s`);
  const bare = await withRedis(bareJob);
  progress(`Gatehouse at ${LOW_LOAD_PER_SECOND} events/s`);
  const waits = await withRedis(async (url) => gatehouseWaits(url, few, 2 * LOW_LOAD_EVENTS));

  progress(`memory of ${sessions} idle sessions`);
  const bytesPerSession = await withRedis(async (url) => sessionBytes(url, all, sessions));

  return {
    xstate: Math.round(xstate),
    bullmq: Math.round(bullmq),
    gatehouse: Math.round(gatehouse),
    gatehouseToBullmq: round(gatehouse / bullmq),
    gatehouseToXstate: round(gatehouse / xstate),
    p50Ms: round(percentile(waits, 0.5)),
    p99Ms: round(percentile(waits, 0.99)),
    bullmqP99Ms: round(percentile(bare, 0.99)),
    bytesPerSession: Math.round(bytesPerSession),
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

interface Done {
  readonly kind: "done";
  readonly at: number;
  readonly commits: readonly { readonly partition: number; readonly entries: number; readonly at: number }[];
}

interface Warm {
  readonly kind: "warm";
  readonly accepted: number;
}

interface Emitted {
  readonly kind: "emitted";
  readonly accepted: number;
  readonly startedAt: number;
  /** Only at a steady rate. */
  readonly acceptedAt?: readonly { readonly partition: number; readonly at: number }[];
}

/**
 * Lets the emitter warm everything up, waits until the worker is done with that, then with the rest.
 * @param before entries that the worker was given before the emitter began
 */
async function run(worker: Child, emitter: Child, before: number): Promise<{ emitted: Emitted; done: Done }> {
  const { accepted: warm } = await emitter.next<Warm>("warm");
  const warmedUp = worker.next<Done>("done");
  worker.send({ expected: before + warm });
  await warmedUp;
  emitter.send("go");
  const emitted = await emitter.next<Emitted>("emitted");
  const finished = worker.next<Done>("done");
  worker.send({ expected: before + warm + emitted.accepted });
  const done = await finished;
  await Promise.all([worker.end(), emitter.end()]);
  return { emitted, done };
}

const rate = ({ emitted, done }: { emitted: Emitted; done: Done }): number =>
  emitted.accepted / ((done.at - emitted.startedAt) / 1_000);

async function plainWay(url: string, { catalogue, ...rest }: Material, warmUp: number): Promise<number> {
  const worker = new Child("./plain-worker", { url, catalogue });
  await worker.next("ready");
  return rate(await run(worker, new Child("./plain-emitter", { url, material: { catalogue, ...rest }, warmUp }), 0));
}

async function openGatehouse(url: string, { tenant, catalogue }: Material): Promise<Child> {
  const redis = await connectStore(url);
  const store = await openRedisPartitionStore(redis, { prefix: PREFIX, deployment: { clock: "event" } });
  const catalogues = new RedisCatalogues(redis, PREFIX);
  await publish({ store, catalogues, wake: () => {} }, tenant, catalogue);
  redis.disconnect();
  const worker = new Child("./gatehouse-worker", { url, prefix: PREFIX });
  await worker.next("ready");
  return worker;
}

async function gatehouseWay(url: string, given: Material, warmUp: number): Promise<number> {
  const worker = await openGatehouse(url, given);
  const emitter = new Child("./gatehouse-emitter", { url, prefix: PREFIX, material: given, warmUp });
  return rate(await run(worker, emitter, PARTITIONS));
}

/** Each partition was told of the published policies by one entry. */
const PARTITIONS = 64;

/** From an event's acceptance being answered to its commit being answered, ms each. */
async function gatehouseWaits(url: string, given: Material, warmUp: number): Promise<readonly number[]> {
  const worker = await openGatehouse(url, given);
  const emitter = new Child("./gatehouse-emitter", {
    url,
    prefix: PREFIX,
    material: given,
    warmUp,
    perSecond: LOW_LOAD_PER_SECOND,
  });
  const { emitted, done } = await run(worker, emitter, PARTITIONS);

  // A partition commits in the order of acceptance; those before the emitter's steady rate are passed over.
  const committedAt = new Map<number, number[]>();
  for (const { partition, entries, at } of done.commits) {
    if (at < emitted.startedAt) continue;
    const times = committedAt.get(partition) ?? [];
    for (let n = 0; n < entries; n++) times.push(at);
    committedAt.set(partition, times);
  }
  return (emitted.acceptedAt ?? []).map(({ partition, at }) =>
    Math.max(0, (committedAt.get(partition)?.shift() ?? at) - at),
  );
}

async function bareJob(url: string): Promise<readonly number[]> {
  const jobs = LOW_LOAD_EVENTS;
  const worker = new Child("./bare-job", { url, role: "worker", jobs, perSecond: LOW_LOAD_PER_SECOND });
  await worker.next("ready");
  const done = worker.next<{ kind: "completed"; completed: Record<string, number> }>("completed");
  const emitter = new Child("./bare-job", { url, role: "emitter", jobs, perSecond: LOW_LOAD_PER_SECOND });
  const { added } = await emitter.next<{ kind: "added"; added: Record<string, number> }>("added");
  const { completed } = await done;
  await Promise.all([worker.end(), emitter.end()]);
  return Object.keys(added).map((name) => Math.max(0, (completed[name] as number) - (added[name] as number)));
}
