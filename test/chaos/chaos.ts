/** One chaos run: real processes at work, things broken for a while, then peace, and then what was promised is held against what is there. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../../src/demo/random.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { WebhookReceiver } from "../support/receiver.js";
import { type Violation, check, isDrained } from "./check.js";
import { Fleet } from "./fleet.js";
import { Load, type Tally } from "./load.js";
import { EFFECT_TYPES, ENVIRONMENT, PREFIX, TENANT, furnish, webhooksOf } from "./furnish.js";
import { type Fault, nemesis } from "./nemesis.js";

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly devices: number;
  /** For data and logs. */
  readonly directory: string;
  readonly onFault: (fault: Fault, events: number) => void;
  readonly progress: (what: string) => void;
  /** Ends the run early: what happened until then is checked. */
  readonly stop: AbortSignal;
  /** Ends the run at once: nothing is checked any more. */
  readonly abandon: AbortSignal;
}

export interface ChaosResult {
  readonly seed: number;
  /** That things were broken, without what came before and after. */
  readonly minutes: number;
  readonly total: Tally;
  readonly perSecond: readonly Tally[];
  readonly faults: readonly Fault[];
  readonly violations: readonly Violation[];
  /** From peace until everything was committed and delivered, ms. */
  readonly drainedMs: number | undefined;
  /** It ran for as long as it was to. */
  readonly isComplete: boolean;
  /** What was promised was held against what is there. */
  readonly isChecked: boolean;
  /** Why it could not go on. */
  readonly failure?: Error;
}

/** What failed at the receiver is tried again by the published schedule, up to half a minute later in so short a run. */
const DRAIN_PATIENCE_MS = 120_000;
/** Events that a device tells at once, at most. */
const BURST = 8;
const NOTHING: Tally = { events: 0, allowed: 0, denied: 0, doubted: 0 };

/** What is seen while it runs, so that a run which ends in the middle leaves a report, too. */
interface Seen {
  readonly startedAt: number;
  endedAt?: number;
  readonly load: Load;
  readonly perSecond: Tally[];
  readonly faults: Fault[];
}

/** Never rejects: a run that fails has a result that says so. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, abandon, stop } = options;
  let seen: Seen | undefined;
  const ends: (() => Promise<unknown> | void)[] = [];
  const living = live(options, (now) => (seen = now), ends);
  const outcome = await Promise.race([
    living.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    abandon.aborted ? undefined : once(abandon, "abort").then(() => undefined),
  ]);
  for (const end of ends.toReversed()) await end();
  const isFailed = outcome instanceof Error;
  const isChecked = outcome !== undefined && !isFailed;
  const endedAt = seen?.endedAt ?? performance.now();
  return {
    seed,
    minutes: seen === undefined ? 0 : Math.round((endedAt - seen.startedAt) / 600) / 100,
    total: seen?.load.tally ?? NOTHING,
    perSecond: seen?.perSecond ?? [],
    faults: seen?.faults ?? [],
    violations: isChecked ? outcome.violations : [],
    drainedMs: isChecked ? outcome.drainedMs : undefined,
    isComplete: isChecked && !stop.aborted,
    isChecked,
    ...(isFailed && { failure: outcome }),
  };
}

interface Checked {
  readonly violations: readonly Violation[];
  readonly drainedMs: number | undefined;
}

/** @param ends what has to be ended afterwards, the last first */
async function live(
  options: ChaosOptions,
  onBegin: (seen: Seen) => void,
  ends: (() => Promise<unknown> | void)[],
): Promise<Checked> {
  const { seed, minutes, directory, progress } = options;
  const receiver = await WebhookReceiver.start();
  ends.push(async () => receiver.stop());
  let isReceived = true;
  const delivered = new Set<string>();
  receiver.reply = ({ headers }, response) => {
    if (isReceived) delivered.add(String(headers["webhook-id"]));
    response.writeHead(isReceived ? 204 : 503).end();
  };
  progress("starting Redis, three workers and two APIs");
  const fleet = await Fleet.start({ directory, size: { workers: 3, apis: 2 }, environment: ENVIRONMENT, ends });
  const deployment = await openDeployment({ redis: fleet.redisUrl, prefix: PREFIX });
  ends.push(async () => deployment.close());
  const key = await furnish(deployment, receiver.url);
  const load = new Load({ apiUrls: fleet.apiUrls, key, seed, devices: options.devices, burst: BURST });
  ends.push(async () => load.close());
  const seen: Seen = { startedAt: performance.now(), load, perSecond: [], faults: [] };
  onBegin(seen);
  const stopWatching = watch(seen);
  ends.push(stopWatching);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), minutes * 60_000);
  ends.push(() => clearTimeout(timer));
  options.stop.addEventListener("abort", () => over.abort());
  options.abandon.addEventListener("abort", () => over.abort());
  const peace = new AbortController();
  ends.push(() => peace.abort());
  const living = load.run(peace.signal);
  progress(`breaking things for ${minutes} minutes, seed ${seed}`);
  await nemesis(
    {
      fleet,
      receive: (isUp) => (isReceived = isUp),
      random: new Random(seed, "deck"),
      now: () => performance.now() - seen.startedAt,
      onFault: (fault) => {
        seen.faults.push(fault);
        options.onFault(fault, load.tally.events);
      },
    },
    over.signal,
  );
  seen.endedAt = performance.now();
  await fleet.untilUp();
  await untilRecovered(seen);
  peace.abort();
  await living;
  stopWatching();
  progress("peace: waiting until everything is committed and delivered");
  const peaceAt = performance.now();
  // Whoever mended a receiver says so: by the published schedule it would take minutes until what it missed is tried again.
  const webhooks = webhooksOf(deployment);
  for (const { id } of await webhooks.list(TENANT)) await webhooks.resume(TENANT, id);
  const isAllDone = await untilDrained(deployment);
  const drainedMs = Math.round(performance.now() - peaceAt);
  progress("holding what was promised against what is there");
  const violations = await check({
    deployment,
    tenant: TENANT,
    devices: load.devices,
    delivered,
    effectTypes: EFFECT_TYPES,
  });
  if (isAllDone) return { violations, drainedMs };
  const late = { promise: "P10", what: `not drained after ${DRAIN_PATIENCE_MS / 1_000} s of peace` };
  return { violations: [late, ...violations], drainedMs: undefined };
}

/** Notes each second what was told and answered in it, and when the devices were over each fault. @returns what ends that */
function watch({ startedAt, load, perSecond, faults }: Seen): () => void {
  let before = NOTHING;
  const count = setInterval(() => {
    const now = { ...load.tally };
    perSecond.push({
      events: now.events - before.events,
      allowed: now.allowed - before.allowed,
      denied: now.denied - before.denied,
      doubted: now.doubted - before.doubted,
    });
    before = now;
  }, 1_000);
  const look = setInterval(() => {
    const heardSince = load.heardSince - startedAt;
    const now = performance.now() - startedAt;
    for (const fault of faults) {
      if (fault.isOver && fault.recoveryMs === undefined && heardSince > fault.to) fault.recoveryMs = now - fault.to;
    }
  }, 20);
  return () => {
    clearInterval(count);
    clearInterval(look);
  };
}

/** Until every device was heard again after every fault; one that stopped for good is found by the check. */
async function untilRecovered({ faults }: Seen): Promise<void> {
  const givesUpAt = performance.now() + 30_000;
  while (faults.some(({ recoveryMs }) => recoveryMs === undefined) && performance.now() < givesUpAt) await delay(20);
}

/** Until nothing waits any more, neither for a worker nor for the receiver. */
async function untilDrained(deployment: OpenDeployment): Promise<boolean> {
  const webhooks = webhooksOf(deployment);
  const isDelivered = async (): Promise<boolean> =>
    (await webhooks.list(TENANT)).every(({ figures }) => figures.waiting === 0);
  const givesUpAt = performance.now() + DRAIN_PATIENCE_MS;
  while (performance.now() < givesUpAt) {
    // What is handed over waits at its endpoint: that is looked at afterwards.
    if ((await isDrained(deployment)) && (await isDelivered())) return true;
    await delay(250);
  }
  return false;
}
