/** Breaks something, heals it, waits, and goes on: which fault comes when follows from the seed. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { connectStore } from "../../src/redis/connection.js";
import type { Random } from "../../src/demo/random.js";
import type { Fleet, Kind, Member } from "./fleet.js";
import { tearTail } from "./torn-tail.js";

export const FAULTS = [
  "workerKilled",
  "workerPaused",
  "apiKilled",
  "apiPaused",
  "redisKilled",
  "tailTorn",
  "memoryFull",
  "linkCut",
  "linkSilent",
  "repliesLost",
  "requestsLost",
  "linkSlow",
  "replySwallowed",
  "requestTorn",
  "queuesDeleted",
  "receiverDown",
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly what: string;
  /** Ms since the run began. */
  readonly from: number;
  to: number;
  isOver: boolean;
  /** From its end until every device had an event accepted again, ms; undefined while one still waits. */
  recoveryMs?: number;
}

export interface NemesisOptions {
  readonly fleet: Fleet;
  /** Whether the receiver of effects takes them. */
  readonly receive: (isUp: boolean) => void;
  readonly random: Random;
  /** Ms since the run began. */
  readonly now: () => number;
  readonly onFault: (fault: Fault) => void;
}

/** A pause between two faults, and how long one lasts, ms. */
const CALM_MS = [1_000, 3_000] as const;
const LASTS_MS = [500, 2_500] as const;
/** Below what is used, because some of that goes away when work stops. */
const MEMORY_LEFT = 0.8;

/** Until the signal; what is broken then is healed first. Each kind comes before any comes again. */
export async function nemesis(options: NemesisOptions, signal: AbortSignal): Promise<void> {
  const { random, now, onFault } = options;
  let left: FaultKind[] = [];
  while (!signal.aborted) {
    await delay(random.between(...CALM_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    if (left.length === 0) left = [...FAULTS];
    const [kind = "linkCut"] = left.splice(random.between(0, left.length - 1), 1);
    const from = now();
    const { what, heal } = await inflict(kind, options);
    const fault: Fault = { kind, what, from, to: now(), isOver: heal === undefined };
    onFault(fault);
    if (heal === undefined) continue;
    await delay(random.between(...LASTS_MS), undefined, { signal }).catch(() => undefined);
    await heal();
    fault.to = now();
    fault.isOver = true;
  }
}

interface Inflicted {
  readonly what: string;
  /** Absent: it heals by itself. */
  readonly heal?: () => Promise<void> | void;
}

async function inflict(kind: FaultKind, { fleet, receive, random }: NemesisOptions): Promise<Inflicted> {
  const member = (of: Kind): Member => {
    const members = fleet.of(of);
    return members[random.between(0, members.length - 1)] as Member;
  };
  const link = random.chance(0.5) ? "worker" : "api";
  const proxy = fleet.links[link];
  const weather = (what: string, now: typeof proxy.weather): Inflicted => {
    proxy.weather = now;
    return {
      what: `${what}, ${link}s`,
      heal: () => {
        proxy.weather = {};
        // What was lost on the way leaves connections that nobody can use any more.
        proxy.cut();
      },
    };
  };
  switch (kind) {
    case "workerKilled":
    case "apiKilled": {
      const victim = member(kind === "workerKilled" ? "worker" : "api");
      victim.signal("SIGKILL");
      return { what: victim.name };
    }
    case "workerPaused":
    case "apiPaused": {
      const victim = member(kind === "workerPaused" ? "worker" : "api");
      victim.signal("SIGSTOP");
      return { what: victim.name, heal: () => victim.signal("SIGCONT") };
    }
    case "redisKilled":
      await fleet.killRedis();
      return { what: "killed and started again" };
    case "tailTorn": {
      const torn = await fleet.killRedis(async (directory) =>
        tearTail(directory, (...within) => random.between(...within)),
      );
      return { what: `killed, and ${torn?.written} of ${torn?.of} bytes written that nobody was told of` };
    }
    case "memoryFull":
      return { what: await fillMemory(fleet.redisUrl), heal: async () => setMemory(fleet.redisUrl, 0) };
    case "linkCut":
      proxy.cut();
      return { what: `${link}s` };
    case "linkSilent":
      return weather("both ways", { repliesLost: true, requestsLost: true });
    case "repliesLost":
      return weather("one way", { repliesLost: true });
    case "requestsLost":
      return weather("one way", { requestsLost: true });
    case "linkSlow":
      return weather("100 ms", { delayMs: 100 });
    case "replySwallowed":
      proxy.swallowReplies(1);
      return { what: `${link}s` };
    case "requestTorn":
      proxy.cutAfter(random.between(1, 20_000));
      proxy.cut();
      return { what: `${link}s` };
    case "queuesDeleted":
      return { what: `${await deleteQueues(fleet.redisUrl)} keys` };
    case "receiverDown":
      receive(false);
      return { what: "503", heal: () => receive(true) };
  }
}

/** All that BullMQ keeps. */
async function deleteQueues(url: string): Promise<number> {
  return withRedis(url, async (redis) => {
    let deleted = 0;
    for await (const keys of redis.scanStream({ match: "*", count: 1_000 })) {
      const queues = (keys as string[]).filter((key) => /:(wake-\d+|effects|deliver)(:|$)/.test(key));
      if (queues.length > 0) deleted += await redis.del(...queues);
    }
    return deleted;
  });
}

/** Allows less than is used: every write is refused until more is allowed. */
async function fillMemory(url: string): Promise<string> {
  return withRedis(url, async (redis) => {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
    const allowed = Math.floor(used * MEMORY_LEFT);
    await redis.config("SET", "maxmemory", allowed);
    return `${(used / 1_048_576).toFixed(1)} MiB used, ${(allowed / 1_048_576).toFixed(1)} allowed`;
  });
}

async function setMemory(url: string, bytes: number): Promise<void> {
  await withRedis(url, async (redis) => redis.config("SET", "maxmemory", bytes));
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis: Redis = await connectStore(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
