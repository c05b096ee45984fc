/** The Redis itself: whether it answers, is set so that events are safe, tells the right time, and has room left. */
import { type RedisConnection, primariesOf } from "../../redis/connection.js";
import type { Redis } from "ioredis";
import { openDoors } from "../../redis/open-doors.js";
import type { Readiness } from "../../readiness/readiness.js";
import type { RedisSettings } from "../../redis/settings.js";
import { type DoctorCheck, failed, ok, warning } from "./check.js";
import { bytes, duration } from "../terminal.js";

/** Between this machine and Redis; what is told by one and judged by the other is then off by as much. */
const SKEW_WARNED_MS = 1_000;
const SKEW_FAILED_MS = 30_000;
/** Of the memory that there is. */
const MEMORY_WARNED = 0.8;
const MEMORY_FAILED = 0.95;

/** What readiness asks of every process, without what only a process that runs can answer. */
export function readinessChecks({ checks, durability, redisVersion }: Readiness): DoctorCheck[] {
  return checks
    .filter(({ name }) => name !== "running" && name !== "deployment")
    .map(({ name, ok: isOk, detail, fix }) => {
      if (!isOk) return failed(name, detail, fix);
      return ok(name, name === "settings" ? `${detail}: Redis ${redisVersion}, class ${durability}` : detail);
    });
}

export function accessCheck(redis: RedisConnection): DoctorCheck {
  const doors = [...new Set(primariesOf(redis).flatMap(({ options }) => openDoors(options)))];
  return doors.length === 0
    ? ok("access", "the connection is private, or has a password and is encrypted")
    : warning("access", doors.join("; "), "See docs/running.md for users, passwords and TLS.");
}

export interface Clocks {
  /** Redis's time less this machine's, ms. */
  readonly aheadMs: number;
  /** How long the answer took: the difference is known no better than half of it. */
  readonly tookMs: number;
}

/**
 * Of several servers, the one whose clock is off the most.
 * @throws whatever a connection says
 */
export async function compareClocks(redis: RedisConnection): Promise<Clocks> {
  const all = await Promise.all(primariesOf(redis).map(compareClock));
  return all.reduce((one, other) => (Math.abs(other.aheadMs) > Math.abs(one.aheadMs) ? other : one));
}

async function compareClock(redis: Redis): Promise<Clocks> {
  const asked = Date.now();
  const [seconds, micros] = await redis.time();
  const answered = Date.now();
  const theirs = Number(seconds) * 1_000 + Number(micros) / 1_000;
  return { aheadMs: theirs - (asked + answered) / 2, tookMs: answered - asked };
}

export function clockCheck({ aheadMs, tookMs }: Clocks): DoctorCheck {
  const name = "clock";
  const offMs = Math.max(0, Math.abs(aheadMs) - tookMs / 2);
  if (offMs <= SKEW_WARNED_MS) return ok(name, "Redis and this machine tell the same time");
  const said = `Redis's clock is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`;
  const fix =
    "Have both set by NTP. Redis's clock is what deadlines go by; this machine's, what API keys and signatures expire by.";
  return offMs > SKEW_FAILED_MS ? failed(name, said, fix) : warning(name, said, fix);
}

type Memory = Pick<
  RedisSettings,
  "server" | "usedMemoryBytes" | "maxMemoryBytes" | "systemMemoryBytes" | "maxmemoryPolicy"
>;

const NO_EVICTION = "noeviction";

const roomOf = ({ maxMemoryBytes, systemMemoryBytes }: Memory): number =>
  maxMemoryBytes > 0 ? maxMemoryBytes : systemMemoryBytes;

const shareOf = (memory: Memory): number => (roomOf(memory) === 0 ? 0 : memory.usedMemoryBytes / roomOf(memory));

function whenFull({ maxMemoryBytes, maxmemoryPolicy = NO_EVICTION }: Memory): string {
  if (maxMemoryBytes === 0)
    return "Set maxmemory: at it events are refused and nothing is lost; without it the system ends Redis.";
  return maxmemoryPolicy === NO_EVICTION
    ? "When it is full, events are refused with store.unavailable, and nothing is lost."
    : `When it is full, it throws stored data away: its maxmemory-policy is ${maxmemoryPolicy}.`;
}

/** Of several servers, the one that is fullest: what is on it can't go elsewhere. */
export function memoryCheck(servers: readonly Memory[]): DoctorCheck {
  const name = "memory";
  const fullest = [...servers].sort((one, other) => shareOf(other) - shareOf(one))[0];
  if (fullest === undefined) return ok(name, "no server tells");
  const { usedMemoryBytes, maxMemoryBytes } = fullest;
  const isLimited = maxMemoryBytes > 0;
  const most = roomOf(fullest);
  const who = servers.length === 1 ? "Redis" : `the fullest Redis (${fullest.server})`;
  if (most === 0) return ok(name, `${who} uses ${bytes(usedMemoryBytes)}, and tells no limit`);
  const share = shareOf(fullest);
  const said = `${who} uses ${bytes(usedMemoryBytes)} of ${bytes(most)} (${Math.round(share * 100)} %)${isLimited ? "" : ", the machine's memory: it has no maxmemory"}`;
  if (share <= MEMORY_WARNED) return ok(name, said);
  const fix = [
    `Give it more memory${isLimited ? " and raise maxmemory" : ""}, or archive journals (docs/archive.md) and keep less of them in Redis.`,
    whenFull(fullest),
  ].join("\n");
  return share > MEMORY_FAILED ? failed(name, said, fix) : warning(name, said, fix);
}
