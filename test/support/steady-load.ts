/** Devices that go on sending while servers fail and move: each its events in order, and each again until it is told that it is stored. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sessionIdParts } from "../../machines/session/session.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { OpenDeployment } from "../../src/deployment/open-deployment.js";
import { ingest } from "../../src/ingest/ingest.js";
import { journalPages } from "../../src/replay/journal-pages.js";
import { isTombstone } from "../../src/store/journal-chain.js";
import { partitionOf } from "../../src/store/session-key.js";
import { POSTURE, TENANT } from "./deployment.js";

const PAUSE_MS = 20;
const AGAIN_MS = 50;

export class SteadyLoad {
  /** Ids that each device was told are accepted, in order. */
  readonly accepted = new Map<string, string[]>();
  /** How long the longest time was in which a device was told nothing good, ms. */
  longestGapMs = 0;
  /** Answers that left it open whether an event is stored. */
  doubts = 0;
  private isStopped = false;
  private readonly running: Promise<unknown>;

  constructor(
    private readonly deployment: OpenDeployment,
    devices: number,
  ) {
    const names = Array.from({ length: devices }, (_, n) => `phone-${n}`);
    this.running = Promise.all(names.map((device) => this.run(device)));
  }

  /** Resolves when each has been told of its last event. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  private async run(device: string): Promise<void> {
    const told: string[] = [];
    this.accepted.set(device, told);
    while (!this.isStopped) {
      const id = randomUUID();
      const sentAt = performance.now();
      const event =
        told.length === 0
          ? { type: "account.signedIn", data: { platform: "ios", interactive: true } }
          : { type: "posture.reported", data: POSTURE };
      await this.send({
        specversion: "1.0",
        id,
        source: "app://load",
        subject: `${device}/adele-${device}`,
        time: new Date().toISOString(),
        ...event,
      });
      told.push(id);
      this.longestGapMs = Math.max(this.longestGapMs, performance.now() - sentAt);
      await delay(PAUSE_MS);
    }
  }

  private async send(event: object): Promise<void> {
    for (;;) {
      const { results } = await ingest(this.deployment, TENANT, [event]);
      const status = results[0]?.status;
      if (status === "accepted" || status === "duplicate") return;
      if (status !== "unknown") throw new Error(`an event was answered ${JSON.stringify(results)}`);
      this.doubts++;
      await delay(AGAIN_MS);
    }
  }
}

/** Ids of each device's events as the journals have them, in order. */
export async function recorded({ store }: OpenDeployment): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  const surveys = await store.survey(partitions);
  for (const { partition, seq } of surveys) {
    for await (const { entries } of journalPages(store, partition, 1, seq)) {
      for (const entry of entries) {
        if (isTombstone(entry)) continue;
        const record = JSON.parse(entry.body) as JournalRecord;
        if (record.origin === undefined || record.origin.source !== "app://load") continue;
        const { device } = sessionIdParts(record.session);
        found.set(device, [...(found.get(device) ?? []), record.origin.id]);
      }
    }
  }
  return found;
}

export const partitionOfDevice = ({ store }: OpenDeployment, device: string): number =>
  partitionOf(TENANT, device, store.deployment.partitionCount);

/** No accepted event waits for a worker. */
export async function isDrained({ store }: OpenDeployment): Promise<boolean> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  return (await store.survey(partitions)).every(({ behind }) => !behind);
}
