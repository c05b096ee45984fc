/** What is measured of a deployment at work: of each process, of Redis, and of what is kept. One look is one flat list of numbers by name. */
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import { readFacts } from "../../src/metrics/deployment-facts.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import type { Fleet } from "../chaos/fleet.js";

const run = promisify(execFile);

export type Unit = "bytes" | "count";

/** A kind of figure, of which there may be several: one a process, one a kind of key. */
export interface FigureKind {
  readonly unit: Unit;
  readonly what: string;
  /** By so much it may rise in any case; `null`: it is to grow, and is only reported. */
  readonly allowance: number | null;
}

const MIB = 1024 * 1024;

/** By what a name begins with. */
export const FIGURES = {
  rss: { unit: "bytes", what: "resident memory of a process", allowance: 24 * MIB },
  heap: { unit: "bytes", what: "JavaScript heap in use", allowance: 12 * MIB },
  handles: { unit: "count", what: "open files and sockets of a process", allowance: 8 },
  memory: { unit: "bytes", what: "used_memory of Redis", allowance: 4 * MIB },
  connections: { unit: "count", what: "clients of Redis", allowance: 8 },
  keys: { unit: "count", what: "keys of Redis, by kind", allowance: 16 },
  held: { unit: "count", what: "what keys of a kind hold", allowance: 400 },
  sessions: { unit: "count", what: "sessions", allowance: 16 },
  journal: { unit: "bytes", what: "journals in Redis", allowance: MIB },
  archive: { unit: "bytes", what: "files of the archive", allowance: null },
} as const satisfies Record<string, FigureKind>;
export type FigureName = keyof typeof FIGURES;

/** `<kind>` or `<kind> <of what>` → value. */
export type Look = ReadonlyMap<string, number>;

export interface LookInput {
  readonly fleet: Fleet;
  readonly redis: Redis;
  readonly store: PartitionStore;
  readonly archive: string;
}

export async function look(input: LookInput): Promise<Look> {
  const parts = await Promise.all([ofProcesses(input), ofRedis(input.redis), ofStore(input), ofArchive(input.archive)]);
  return new Map(parts.flat());
}

type Figures = readonly (readonly [string, number])[];

async function ofProcesses({ fleet }: LookInput): Promise<Figures> {
  const processes = fleet.members.flatMap(({ name, pid, metricsPort }) =>
    pid === undefined ? [] : [{ name, pid, metricsPort }],
  );
  processes.push({ name: "redis", pid: fleet.redisPid, metricsPort: 0 });
  const resident = await residentBytes(processes.map(({ pid }) => pid));
  const figures = await Promise.all(
    processes.map(async ({ name, pid, metricsPort }) => {
      const found: [string, number | undefined][] = [
        [`rss ${name}`, resident.get(pid)],
        [`heap ${name}`, metricsPort === 0 ? undefined : await heapBytes(metricsPort)],
        [`handles ${name}`, await openHandles(pid)],
      ];
      return found.flatMap(([figure, value]) => (value === undefined ? [] : [[figure, value] as const]));
    }),
  );
  return figures.flat();
}

async function residentBytes(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const { stdout } = await run("ps", ["-o", "pid=,rss=", "-p", pids.join(",")]);
  const lines = stdout.trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [pid = 0, kib = 0] = line.trim().split(/\s+/).map(Number);
      return [pid, kib * 1_024];
    }),
  );
}

async function heapBytes(port: number): Promise<number | undefined> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => response.text(),
    () => "",
  );
  const found = /^nodejs_heap_size_used_bytes (\d+)/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Undefined where the system does not tell. */
async function openHandles(pid: number): Promise<number | undefined> {
  return readdir(`/proc/${pid}/fd`).then(
    ({ length }) => length,
    () => undefined,
  );
}

async function ofRedis(redis: Redis): Promise<Figures> {
  const [memory, clients] = await Promise.all([redis.info("memory"), redis.info("clients")]);
  const number = (text: string, name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1]);
  return [
    ["memory", number(memory, "used_memory")],
    ["connections", number(clients, "connected_clients")],
    ...(await ofKeys(redis)),
  ];
}

/** How many keys of each kind, and what they hold together. */
async function ofKeys(redis: Redis): Promise<Figures> {
  const keys = new Map<string, number>();
  const held = new Map<string, number>();
  const add = (to: Map<string, number>, kind: string, n: number): void => void to.set(kind, (to.get(kind) ?? 0) + n);
  for await (const page of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>) {
    const types = redis.pipeline();
    for (const key of page) types.type(key);
    const answers = (await types.exec()) ?? [];
    const lengths = redis.pipeline();
    page.forEach((key, n) => countOf(lengths, String(answers[n]?.[1]), key));
    const counted = (await lengths.exec()) ?? [];
    page.forEach((key, n) => {
      add(keys, kindOf(key), 1);
      add(held, kindOf(key), Number(counted[n]?.[1]));
    });
  }
  return [
    ...[...keys].map(([kind, n]) => [`keys ${kind}`, n] as const),
    ...[...held].map(([kind, n]) => [`held ${kind}`, n] as const),
  ];
}

function countOf(pipeline: ReturnType<Redis["pipeline"]>, type: string, key: string): void {
  if (type === "hash") pipeline.hlen(key);
  else if (type === "zset") pipeline.zcard(key);
  else if (type === "set") pipeline.scard(key);
  else if (type === "list") pipeline.llen(key);
  else if (type === "stream") pipeline.xlen(key);
  else pipeline.exists(key);
}

/** `gh:{p12}:inbox` → `partition.inbox`; whatever of a name stands for one of many is left out: all jobs are one kind. */
function kindOf(key: string): string {
  const [, of = "", kind = ""] = /\{(p|u|d:|audit)[^}]*\}:([a-z-]+)/.exec(key) ?? [];
  if (of !== "") return `${{ p: "partition", u: "user", "d:": "delivery", audit: "audit" }[of]}.${kind}`;
  const [, queue = "", rest = ""] = /\{[^}]*:([a-z]+)(?:-\d+)?\}:[^:]+:(.*)$/.exec(key) ?? [];
  if (queue !== "") return `queue.${queue}.${/^[a-z-]+$/.test(rest) ? rest : "job"}`;
  return "other";
}

async function ofStore({ store, redis }: LookInput): Promise<Figures> {
  const { partitions } = await readFacts(store, redis);
  const sum = (of: "sessions" | "journalBytes"): number => partitions.reduce((all, facts) => all + facts[of], 0);
  return [
    ["sessions", sum("sessions")],
    ["journal", sum("journalBytes")],
  ];
}

async function ofArchive(directory: string): Promise<Figures> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    // A file may be covered by a longer one and gone by now.
    .map(async (entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return [["archive", (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)]];
}
