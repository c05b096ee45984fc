/**
 * The replay benchmark: a journal folded again beside XState alone on the same events, the whole journal verified by all cores, and one session
 * with a long past explained. The figures are of records a second; each rate but the verification's is of one core.
 */
import { Drainer } from "../../workers/drain.js";
import { publish } from "../../src/control/publish.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { ingest } from "../../src/ingest/ingest.js";
import { createLogger } from "../../src/log.js";
import { startPrivateRedis } from "../../src/redis/private-server.js";
import { replayPartition } from "../../src/replay/replay-partition.js";
import { inThreads } from "../../src/replay/replay-threads.js";
import type { PartitionVerdict } from "../../src/replay/verify-partition.js";
import { whySession } from "../../src/replay/why-session.js";
import { readHistory } from "../../src/sessions/history.js";
import { look } from "../../src/sessions/look.js";
import type { Material } from "../core/material.js";
import { material } from "../core/stream.js";
import { xstateAlone } from "../core/xstate-alone.js";
import { longLife } from "./long-life.js";

export interface ReplayOptions {
  /** Devices of the generated day, about fifty events each. */
  readonly devices: number;
  /** Events of the session that is explained. */
  readonly events: number;
  /** Told what is being measured. */
  readonly progress: (what: string) => void;
}

export interface ReplayResult {
  readonly replayPerSecond: number;
  readonly xstatePerSecond: number;
  readonly whyMs: number;
  readonly verifyPerSecond: number;
}

const PREFIX = "bench";
const INGESTED_AT_ONCE = 4_000;
/** The journal is verified so often in one go: what threads need to start is little beside what a journal of weeks needs. */
const VERIFIED = 4;
const LONG_LIFE = "long-life/adele";

export async function replay({ devices, events, progress }: ReplayOptions): Promise<ReplayResult> {
  const day = material(devices);
  const server = await startPrivateRedis();
  try {
    const deployment = await openDeployment({
      redis: server.url,
      prefix: PREFIX,
      deployment: { clock: "event", journalMaxBytes: 1_000_000_000 },
    });
    await publish({ ...deployment, wake: () => {} }, day.tenant, day.catalogue);
    const life = longLife(LONG_LIFE, events);
    progress(`a journal of ${day.events.length} events, and one session's ${life.length}`);
    await record(deployment, day, [...day.events]);
    await record(deployment, day, life);

    const partitions = Array.from({ length: deployment.store.deployment.partitionCount }, (_, n) => n);
    progress("XState alone");
    xstateAlone(day);
    const xstatePerSecond = xstateAlone(day);
    progress("a dry replay, on one core");
    await dryReplay(deployment, partitions);
    const replayPerSecond = await dryReplay(deployment, partitions);
    progress("verify, on all cores");
    const startedAt = performance.now();
    const verdicts = await inThreads<PartitionVerdict>({
      source: { deployment: deployment.target },
      request: "verify",
      partitions: Array.from({ length: VERIFIED }, () => partitions).flat(),
    });
    const verifySeconds = (performance.now() - startedAt) / 1_000;
    const faults = verdicts.reduce((sum, { faultCount }) => sum + faultCount, 0);
    if (faults > 0) throw new Error(`verify found ${faults} faults in a journal that nobody touched`);
    progress(`why, of ${life.length} events`);
    const whyMs = await explained(deployment, day.tenant);
    await deployment.close();
    return {
      replayPerSecond: Math.round(replayPerSecond),
      xstatePerSecond: Math.round(xstatePerSecond),
      whyMs: Math.round(whyMs),
      verifyPerSecond: Math.round(verdicts.reduce((sum, { records }) => sum + records, 0) / verifySeconds),
    };
  } finally {
    await server.stop();
  }
}

async function record(deployment: OpenDeployment, { tenant }: Material, events: readonly object[]): Promise<void> {
  const { store, users, rules } = deployment;
  const drainer = new Drainer({ store, rules, log: createLogger("warn", "bench"), onEffects: () => {} });
  for (let from = 0; from < events.length; from += INGESTED_AT_ONCE) {
    await ingest({ store, users, wake: () => {} }, tenant, events.slice(from, from + INGESTED_AT_ONCE));
    for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
      while ((await drainer.drain(partition)) === "more");
    }
  }
}

/** Records a second. */
async function dryReplay(deployment: OpenDeployment, partitions: readonly number[]): Promise<number> {
  let records = 0;
  const startedAt = performance.now();
  for (const partition of partitions) records += (await replayPartition(deployment, partition, { scope: {} })).records;
  return records / ((performance.now() - startedAt) / 1_000);
}

/** From the question to the answer, as `gatehouse why` does it. */
async function explained(deployment: OpenDeployment, tenant: string): Promise<number> {
  const { store, rules } = deployment;
  const id = `${tenant}/${LONG_LIFE}/azure-mobile`;
  const startedAt = performance.now();
  const { partition, session, now } = await look(deployment, id);
  if (session === undefined || "unreadable" in session) throw new Error(`${id} is not there`);
  const { records } = await readHistory(store, partition, session.lastRecord);
  await rules.prepare({}, [{ tenant, version: 1 }]);
  const why = whySession(id, records, now, (version, asked) => rules.rulesOf(tenant, version, asked));
  if (why.decision.decision !== "deny") throw new Error(`${id} was to be locked out, and is ${why.state}`);
  return performance.now() - startedAt;
}
