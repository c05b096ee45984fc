/** Plays a working day through the real queue, up to the moment when nothing is left to do. */
import { setTimeout as delay } from "node:timers/promises";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { readCatalogue } from "../../control/catalogue-document.js";
import { readCounters } from "../../store/counters.js";
import { publish } from "../../control/publish.js";
import { DAY_END_MS, DAY_START_MS, TENANT } from "../../demo/day.js";
import { demoPolicies } from "../../demo/policies.js";
import { type DemoItem, workingDay } from "../../demo/working-day.js";
import { CLOCK_BODY } from "../../ingest/inbox-body.js";
import type { IngestTotals } from "../../ingest/ingest.js";
import { CHUNK_EVENTS, type Outgoing, Sender } from "../../ingest/sender.js";
import { BROADCAST, type PartitionStore } from "../../store/partition-store.js";
import { readOutgoing } from "../../ingest/split-events.js";
import { count } from "../terminal.js";
import type { LivePicture } from "./live-picture.js";
import { inStates, processed } from "./tally.js";

const PICTURE_EVERY_MS = 250;
const LOOK_EVERY_MS = 50;
const RETRY_FOR_MS = 30_000;
const PATIENCE_MS = 2_000;

export interface PlayOptions {
  readonly seed: number;
  readonly devices: number;
}

export interface Played {
  readonly totals: IngestTotals;
  /** From the first event sent to the last one processed. */
  readonly seconds: number;
}

/** @throws SendingStoppedError, StoreUnavailableError */
export async function play(deployment: OpenDeployment, options: PlayOptions, picture: LivePicture): Promise<Played> {
  const { store } = deployment;
  const { morning, noon } = demoPolicies();
  await publish(deployment, TENANT, morning, { time: DAY_START_MS });

  const progress = { at: DAY_START_MS };
  const sender = new Sender(deployment, TENANT, {
    retryForMs: RETRY_FOR_MS,
    onOutage: (outage) =>
      picture.say(outage === "began" ? "Redis does not answer; trying again …" : "Redis answers again."),
  });
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  const stopPainting = paint(store, picture, () => ({ at: progress.at, sent: sender.totals.sent, seconds: seconds() }));
  try {
    const day = workingDay({ ...options, policies: { morning: readCatalogue(morning), noon: readCatalogue(noon) } });
    for (const segment of segments(day, progress)) {
      await sender.sendAll(segment.chunks());
      // Everything before it is in the inboxes, everything after it is not.
      if (segment.publishAt !== undefined) await publish(deployment, TENANT, noon, { time: segment.publishAt });
    }
    await moveClocks(deployment, DAY_END_MS);
    progress.at = DAY_END_MS;
    await untilDrained(store);
    const took = seconds();
    return { totals: exactTotals(sender, processed(await readCounters(store))), seconds: took };
  } finally {
    await stopPainting();
  }
}

/** After an outage some duplicates may have been taken for accepted. Nothing waits any more, so what was processed tells how many. */
function exactTotals({ totals, takenForAccepted }: Sender, inAll: number): IngestTotals {
  const { accepted, duplicate } = totals;
  const mistaken = Math.min(takenForAccepted, Math.max(0, accepted - inAll));
  return { ...totals, accepted: accepted - mistaken, duplicate: duplicate + mistaken };
}

interface Segment {
  chunks(): Generator<Outgoing[]>;
  /** Once the chunks are read: when to publish after them, epoch ms; `undefined`: the day is over. */
  publishAt: number | undefined;
}

/** The day in parts, cut where policies are published. */
function* segments(day: Generator<DemoItem>, progress: { at: number }): Generator<Segment> {
  let place = 0;
  let isOver = false;
  while (!isOver) {
    const segment: Segment = {
      publishAt: undefined,
      *chunks() {
        let chunk: Outgoing[] = [];
        for (;;) {
          const { value: item, done } = day.next();
          if (done === true || item.kind === "publish") {
            isOver = done === true;
            segment.publishAt = item?.at;
            break;
          }
          if (item.kind === "event") progress.at = Math.max(progress.at, Date.parse(item.event.time));
          chunk.push(
            item.kind === "event"
              ? { place: place++, input: item.event }
              : readOutgoing(place++, Buffer.from(item.line)),
          );
          if (chunk.length < CHUNK_EVENTS) continue;
          yield chunk;
          chunk = [];
        }
        if (chunk.length > 0) yield chunk;
      },
    };
    yield segment;
  }
}

/** Deadlines of sessions that nothing more happens to pass, too. */
async function moveClocks({ store, wake }: OpenDeployment, to: number): Promise<void> {
  await Promise.all(
    partitionsOf(store).map(async (partition) => {
      const moved = await store.ingest(partition, [
        { session: BROADCAST, body: CLOCK_BODY, time: to, fingerprint: null },
      ]);
      if (moved.wake) wake(partition);
    }),
  );
}

/** Resolves when no event waits and no deadline is due. */
async function untilDrained(store: PartitionStore): Promise<void> {
  for (;;) {
    const surveys = await store.survey(partitionsOf(store));
    if (surveys.every(({ behind, nextTimer, now }) => !behind && (nextTimer === null || nextTimer > now))) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** Resolves when every committed effect was delivered. `say` hears of it if that takes long, as after a worker died with some in hand. */
export async function untilDelivered(store: PartitionStore, say: (text: string) => void): Promise<void> {
  const saysAt = performance.now() + PATIENCE_MS;
  for (let hasSaid = false; ;) {
    const surveys = await store.survey(partitionsOf(store));
    const waiting = surveys.reduce((sum, { outboxSize }) => sum + outboxSize, 0);
    if (waiting === 0) return;
    if (!hasSaid && performance.now() > saysAt) {
      hasSaid = true;
      say(`Everything is processed; ${count(waiting)} effects are still to be delivered …`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

const partitionsOf = (store: PartitionStore): number[] =>
  Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);

/** Shows the picture now and then, and once more at the end. @returns what ends it */
function paint(
  store: PartitionStore,
  picture: LivePicture,
  now: () => { readonly at: number; readonly sent: number; readonly seconds: number },
): () => Promise<void> {
  const stopping = new AbortController();
  const show = async (): Promise<void> => {
    const counters = await readCounters(store);
    picture.show({ ...now(), processed: processed(counters), states: inStates(counters) });
  };
  const painting = (async () => {
    while (!stopping.signal.aborted) {
      // A picture that is missed is no loss.
      await show().catch(() => undefined);
      await delay(PICTURE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await painting;
    await show().catch(() => undefined);
  };
}
