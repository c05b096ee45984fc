/** One soak run: a whole deployment under a steady load for long, its journals archived and trimmed on the way, and looked at every few seconds. */
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { primariesOf } from "../../src/redis/connection.js";
import type { DeploymentRequest } from "../../src/store/deployment.js";
import { Fleet } from "../chaos/fleet.js";
import { ENVIRONMENT, PREFIX, furnish } from "../chaos/furnish.js";
import { Load } from "../chaos/load.js";
import { WebhookReceiver } from "../support/receiver.js";
import { look } from "./figures.js";
import type { Sighting } from "./trend.js";

export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly devices: number;
  readonly eventsPerSecond: number;
  readonly lookEveryMs: number;
  /** For data and logs. */
  readonly directory: string;
  readonly progress: (what: string) => void;
  readonly onLook: (sighting: Sighting, events: number) => void;
  /** Ends the run early: what was seen until then is reported. */
  readonly stop: AbortSignal;
  /** Ends it at once. */
  readonly abandon: AbortSignal;
}

export interface SoakResult {
  readonly seed: number;
  readonly minutes: number;
  readonly events: number;
  readonly questions: number;
  /** Sessions that were retired; their devices began new ones. */
  readonly retired: number;
  /** Refused what they may say, or let in against what is known. */
  readonly wrong: readonly string[];
  readonly sightings: readonly Sighting[];
  /** Times that a process was started again: none should be. */
  readonly restarts: number;
  readonly isComplete: boolean;
  readonly failure?: Error;
}

const DAY_MS = 24 * 3_600_000;

/** Bounds that are reached within minutes, so that what is bounded is seen to be. */
export const DEPLOYMENT: DeploymentRequest = {
  partitionCount: 16,
  journalMaxBytes: 128 * 1_024,
  dedupeWindowMs: 30_000,
  dedupeLimit: 100,
};
const ARCHIVE_EVERY = "10s";
/** Sessions that were silent for so long are retired; a device that sleeps does so for longer. */
const RETENTION_MS = 30_000;
const SLEEP = { chance: 0.003, ms: 3 * RETENTION_MS };

/** Never rejects: a run that fails has a result that says so. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { seed, stop, abandon } = options;
  const ends: (() => Promise<unknown> | void)[] = [];
  const seen: Seen = { sightings: [], startedAt: performance.now() };
  const outcome = await Promise.race([
    live(options, seen, ends).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    abandon.aborted ? undefined : once(abandon, "abort").then(() => undefined),
  ]);
  const endedAt = performance.now();
  const restarts = (seen.fleet?.members ?? []).reduce((sum, { starts }) => sum + Math.max(0, starts - 1), 0);
  for (const end of ends.toReversed()) await end();
  const { load, sightings, startedAt } = seen;
  return {
    seed,
    minutes: Math.round((endedAt - startedAt) / 600) / 100,
    events: load?.tally.events ?? 0,
    questions: load === undefined ? 0 : load.tally.allowed + load.tally.denied + load.tally.doubted,
    retired: load?.retired ?? 0,
    wrong: (load?.devices ?? []).flatMap(({ id, wrongAnswers, refused }) =>
      [...wrongAnswers, ...refused].map((what) => `${id}: ${what}`),
    ),
    sightings,
    restarts,
    isComplete: outcome === "done" && !stop.aborted,
    ...(outcome instanceof Error && { failure: outcome }),
  };
}

interface Seen {
  readonly sightings: Sighting[];
  startedAt: number;
  fleet?: Fleet;
  load?: Load;
}

async function live(options: SoakOptions, seen: Seen, ends: (() => Promise<unknown> | void)[]): Promise<"done"> {
  const { seed, minutes, devices, eventsPerSecond, directory, progress } = options;
  const receiver = await WebhookReceiver.start();
  ends.push(async () => receiver.stop());
  progress("starting Redis, two workers, two APIs and an archiver");
  const archive = join(directory, "archive");
  const fleet = await Fleet.start({
    directory,
    size: { workers: 2, apis: 2, archiver: { arguments: ["--to", archive, "--every", ARCHIVE_EVERY, "--checkpoint"] } },
    environment: { ...ENVIRONMENT, GATEHOUSE_SESSION_RETENTION_DAYS: String(RETENTION_MS / DAY_MS) },
    prepare: async (redis) => (await openDeployment({ redis, prefix: PREFIX, deployment: DEPLOYMENT })).close(),
    ends,
  });
  seen.fleet = fleet;
  const deployment = await openDeployment({ redis: fleet.redisUrl, prefix: PREFIX });
  ends.push(async () => deployment.close());
  const key = await furnish(deployment, receiver.url);
  const load = new Load({
    apiUrls: fleet.apiUrls,
    key,
    seed,
    devices,
    pauseMs: (1_000 * devices) / eventsPerSecond,
    sleep: SLEEP,
  });
  seen.load = load;
  ends.push(async () => load.close());
  const over = new AbortController();
  ends.push(() => over.abort());
  for (const signal of [options.stop, options.abandon]) signal.addEventListener("abort", () => over.abort());
  const { signal } = over;
  seen.startedAt = performance.now();
  const living = load.run(signal);
  progress(`${devices} devices, about ${eventsPerSecond} events a second, for ${minutes} minutes; seed ${seed}`);
  const { store } = deployment;
  // The run's own server, the only one.
  const [redis] = primariesOf(deployment.redis);
  if (redis === undefined) throw new Error("no Redis is connected");
  const endsAt = seen.startedAt + minutes * 60_000;
  while (!signal.aborted && performance.now() < endsAt) {
    const left = endsAt - performance.now();
    await delay(Math.min(left, options.lookEveryMs), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    receiver.requests.length = 0;
    const sighting = { at: performance.now() - seen.startedAt, figures: await look({ fleet, redis, store, archive }) };
    seen.sightings.push(sighting);
    options.onLook(sighting, load.tally.events);
  }
  over.abort();
  await living;
  return "done";
}
