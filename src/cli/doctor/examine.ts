/** The doctor's round: everything is looked at, one thing after the other, and what is not there is left out. Changes nothing. */
import type { RedisConnection } from "../../redis/connection.js";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../../config.js";
import { openDeployment } from "../../deployment/open-deployment.js";
import { GatehouseError } from "../../errors.js";
import { readPartitions, sumOf } from "../../metrics/deployment-facts.js";
import { readReceivers } from "../../metrics/receiver-facts.js";
import { findQuarantined } from "../../quarantine/find-quarantined.js";
import { countWorkers } from "../../queue/count-workers.js";
import { readiness } from "../../readiness/readiness.js";
import { demandsOf } from "../../redis/check-redis.js";
import type { RedisTarget } from "../../redis/address.js";
import { connectStore } from "../../redis/connection.js";
import { readSettings } from "../../redis/settings.js";
import { secretStanding } from "../../secrets/secret-key.js";
import { deploymentKey } from "../../store/keys.js";
import type { PartitionStore } from "../../store/partition-store.js";
import { MachineVersionError } from "../../store/partition-view.js";
import { toUnavailable } from "../../store/redis/unavailable.js";
import { findRedis } from "../redis-access.js";
import { duration } from "../terminal.js";
import { type DoctorCheck, failed, ok } from "./check.js";
import { effectsCheck, webhooksCheck } from "./delivery-checks.js";
import { archiveAge, archiveCheck, journalCheck } from "./keeping-checks.js";
import { accessCheck, clockCheck, compareClocks, memoryCheck, readinessChecks } from "./server-checks.js";
import { catalogueCheck, quarantineCheck, secretCheck } from "./tenant-checks.js";
import {
  type Looks,
  backlogCheck,
  deadlinesCheck,
  deploymentCheck,
  isBehind,
  lostCheck,
  stuckCheck,
  walkCheck,
  workersCheck,
} from "./work-checks.js";

/** Between two looks: the sweep has come to each partition twice by then. */
const APART_MS = 3_000;

export interface Examination {
  readonly checks: readonly DoctorCheck[];
  /** Redis answered to the end. */
  readonly reachable: boolean;
}

/** @param quick leaves out what looks at every session */
export async function examine(config: Config, quick: boolean): Promise<Examination> {
  const checks: DoctorCheck[] = [];
  try {
    const target = await findRedis(config);
    const redis = await connectStore(target);
    try {
      for await (const check of round(redis, target, config, quick)) checks.push(check);
    } catch (error) {
      throw toReported(error);
    } finally {
      redis.disconnect();
    }
    return { checks, reachable: true };
  } catch (error) {
    // None runs, what runs does not answer, or it stopped answering: either way the round is over.
    if (!(error instanceof GatehouseError)) throw error;
    return { checks: [...checks, failed("redis", error.message, error.fix)], reachable: false };
  }
}

const toReported = (error: unknown): unknown =>
  error instanceof GatehouseError ? error : toUnavailable(error, "doctor", false);

async function* round(
  redis: RedisConnection,
  target: RedisTarget,
  config: Config,
  quick: boolean,
): AsyncGenerator<DoctorCheck, void> {
  const { prefix } = config;
  const clocks = await compareClocks(redis);
  yield ok("redis", `answers within ${duration(clocks.tookMs)}`);
  const stopping = new AbortController().signal;
  const ready = await readiness({ redis, prefix, ...demandsOf(config), stopping });
  yield* readinessChecks(ready);
  yield accessCheck(redis);
  yield clockCheck(clocks);
  yield memoryCheck(await readSettings(redis));
  yield secretCheck(await secretStanding(redis, config));
  if ((await redis.exists(deploymentKey(prefix))) === 0) {
    yield failed(
      "deployment",
      `there is none under the prefix ${prefix}`,
      "Check REDIS_URL and GATEHOUSE_PREFIX. A new one is created by `gatehouse work`, `gatehouse serve` or `gatehouse up`.",
    );
    return;
  }
  const described = ready.checks.find(({ name }) => name === "deployment");
  if (described?.ok === false) {
    yield failed("deployment", described.detail, described.fix);
    return;
  }
  yield* deploymentRound(config, redis, target, quick);
}

async function* deploymentRound(
  config: Config,
  redis: RedisConnection,
  target: RedisTarget,
  quick: boolean,
): AsyncGenerator<DoctorCheck, void> {
  const { prefix, tenant } = config;
  const { store, catalogues, close } = await openDeployment({ redis: target, prefix });
  try {
    const before = await readPartitions(store);
    // Where nothing is to be done there is nothing to wait for.
    if (before.some((facts) => isBehind(facts) || facts.unwalked > 0)) await delay(APART_MS);
    const after = await readPartitions(store);
    const looks: Looks = { before, after };
    const serverNow = Date.now() + (await compareClocks(redis)).aheadMs;
    yield deploymentCheck(looks, store.deployment.clock, serverNow);
    yield workersCheck(await countWorkers(redis, prefix));
    yield backlogCheck(looks);
    yield stuckCheck(looks, APART_MS);
    yield lostCheck(looks);
    yield deadlinesCheck(looks);
    yield catalogueCheck(config, await catalogues.current(tenant));
    yield walkCheck(looks);
    const receivers = await readReceivers(redis, prefix);
    yield effectsCheck(receivers, sumOf(after, "outbox"), serverNow);
    yield webhooksCheck(receivers);
    yield journalCheck(after, store.deployment);
    yield archiveCheck(await archiveAge(store, after));
    if (!quick) yield await sessionsCheck(store, tenant);
  } finally {
    await close();
  }
}

async function sessionsCheck(store: PartitionStore, tenant: string): Promise<DoctorCheck> {
  try {
    return quarantineCheck(await findQuarantined(store, tenant, {}));
  } catch (error) {
    if (!(error instanceof MachineVersionError)) throw error;
    return failed("quarantine", error.message, error.fix);
  }
}
