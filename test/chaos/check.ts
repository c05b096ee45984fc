/** After a chaos run: what was promised, against what is there. Each violation names the promise that it breaks (P1–P9). */
import { setTimeout as delay } from "node:timers/promises";
import { decide } from "../../machines/decision.js";
import type { JournalRecord } from "../../machines/outcome.js";
import { stateName } from "../../machines/session/context.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { RulesSource } from "../../src/control/rules-source.js";
import type { OpenDeployment } from "../../src/deployment/open-deployment.js";
import { effectId } from "../../src/effects/effect-id.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { journalPages } from "../../src/replay/journal-pages.js";
import { verifyPartition } from "../../src/replay/verify-partition.js";
import { type Look, look } from "../../src/sessions/look.js";
import { isTombstone } from "../../src/store/journal-chain.js";
import { effectBody } from "../../src/store/partition-view.js";
import { type Device, SOURCE } from "./load.js";

export interface Violation {
  readonly promise: string;
  readonly what: string;
}

export interface CheckInput {
  readonly deployment: OpenDeployment;
  readonly tenant: string;
  readonly devices: readonly Device[];
  /** Webhook ids that the receiver was given an answer for. */
  readonly delivered: ReadonlySet<string>;
  /** Types of effects that it was to get. */
  readonly effectTypes: ReadonlySet<string>;
}

const ANSWER_PATIENCE_MS = 30_000;

const partitionsOf = ({ store }: OpenDeployment): number[] =>
  Array.from({ length: store.deployment.partitionCount }, (_, n) => n);

/** Whether everything accepted is committed, and every effect handed over. */
export async function isDrained(deployment: OpenDeployment): Promise<boolean> {
  const { store } = deployment;
  const surveys = await store.survey(partitionsOf(deployment));
  return surveys.every(({ behind, outboxSize }) => !behind && outboxSize === 0);
}

export async function check(input: CheckInput): Promise<readonly Violation[]> {
  const { deployment, devices } = input;
  const violations: Violation[] = [];
  const broken = (promise: string, what: string): void => void violations.push({ promise, what });
  for (const { id, wrongAnswers, refused } of devices) {
    for (const what of wrongAnswers) broken("P7", `${id}: ${what}`);
    for (const what of refused) broken("P1", `${id} was refused what it may say: ${what}`);
  }

  /** Ids of each device's events, as the journals have them. */
  const recorded = new Map<string, string[]>();
  for (const partition of partitionsOf(deployment)) {
    const verdict = await verifyPartition(deployment, partition);
    for (const { seq, what, session } of verdict.faults) {
      broken(
        what === "diverged" || what === "snapshot" ? "P2" : "P9",
        `${what} at record ${seq} of ${session ?? partition}`,
      );
    }
    for await (const { entries } of journalPages(deployment.store, partition, 1, verdict.seq)) {
      for (const entry of entries) {
        if (isTombstone(entry)) continue;
        const record = JSON.parse(entry.body) as JournalRecord;
        if (record.origin?.source === SOURCE) {
          const { device } = sessionIdParts(record.session);
          recorded.set(device, [...(recorded.get(device) ?? []), record.origin.id]);
        }
        if (record.outcome === "quarantined" || record.outcome === "stale") {
          broken("P2", `${record.session} has ${record.outcome} ${record.event.type}: ${record.reason ?? ""}`);
        }
        for (const [n, effect] of record.effects.entries()) {
          if (!input.effectTypes.has(effect.type)) continue;
          const own = `${record.seq}-${n}`;
          const { session, revision, at } = record;
          const id = effectId(
            deployment.prefix,
            partition,
            own,
            effectBody({ id: own, session, revision, at, effect }, undefined),
          );
          if (!input.delivered.has(id)) broken("P5", `${effect.type} ${id} of ${session} never arrived`);
        }
      }
    }
  }

  const rules = new RulesSource(deployment.catalogues);
  const version = await deployment.catalogues.current(input.tenant);
  await rules.prepare({}, [{ tenant: input.tenant, version }]);
  for (const { id, oracle, accepted } of devices) {
    const there = recorded.get(id) ?? [];
    if (there.join() !== accepted.join()) broken("P2", `${id}: ${firstDifference(accepted, there)}`);
    const { session, now } = await lookAtLast(deployment, `${input.tenant}/${id}/adele/azure-mobile`);
    if (session !== undefined && "unreadable" in session) {
      broken("P3", `${id} can't be read: ${session.unreadable}`);
      continue;
    }
    const state = session === undefined ? "none" : stateName(session.state);
    if (state !== oracle.state) broken("P2", `${id} ends in ${state}, the oracle says ${oracle.state}`);
    if (session === undefined) continue;
    const { decision } = decide(session, rules.rulesOf(input.tenant, version, session), now);
    if ((decision === "allow") !== oracle.hasAccess) broken("P6", `${id} is answered ${decision} in ${state}`);
  }
  return violations;
}

/** A server that began a moment ago gives no answer until everybody could hold against it what was accepted before. */
async function lookAtLast(deployment: OpenDeployment, session: string): Promise<Look> {
  const givesUpAt = performance.now() + ANSWER_PATIENCE_MS;
  for (;;) {
    try {
      return await look(deployment, session);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > givesUpAt) throw error;
      await delay(100);
    }
  }
}

function firstDifference(accepted: readonly string[], recorded: readonly string[]): string {
  const at = accepted.findIndex((id, n) => recorded[n] !== id);
  const n = at === -1 ? accepted.length : at;
  return `event ${n + 1} was accepted as ${accepted[n] ?? "nothing"} and is recorded as ${recorded[n] ?? "nothing"} (${accepted.length} accepted, ${recorded.length} recorded)`;
}
