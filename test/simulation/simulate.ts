/** One run: a script carried out by the product's own code, and whether every promise held. */
import type { RulesOf } from "../../machines/fold-batch.js";
import { check, isBehind, whatWaits } from "./check.js";
import { type Bug, Fleet } from "./fleet.js";
import { Network } from "./network.js";
import { People } from "./people.js";
import { type Action, type Script, type TimedFault, isCallFault } from "./script.js";
import { START_MS, Server } from "./server.js";
import { VirtualTime } from "./virtual-time.js";
import type { Violation } from "./violations.js";
import { rulesBy } from "./world.js";

/** After the last thing that somebody does or that goes wrong at a time of its own, things still go wrong for so long, ms. */
const FAULTS_LAST_MS = 4_000;
/** So long after that devices have told everything: what was in the way is gone. */
const PEOPLE_END_MS = 90_000;
/** A worker lives and the server can be reached: after so long, nothing accepted waits any more (P10). */
const DRAINED_WITHIN_MS = 7_000;
/** And nothing else does: effects are offered again by the sweep, and jobs that failed are tried again. */
const SETTLED_WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 250;
const MOST_VIOLATIONS = 20;

export interface RunResult {
  readonly seed: number;
  /** Accepted by the server. */
  readonly events: number;
  /** Decisions asked for, and of those the denied in doubt. */
  readonly asked: number;
  readonly doubts: number;
  /** Faults that happened, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first ones. */
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  /** The script's actions with their events: run again, they are the same whatever is left out. */
  readonly played: readonly Action[];
  readonly trace: readonly string[];
}

export interface RunOptions {
  readonly bug?: Bug;
  readonly keepTrace?: boolean;
}

export async function simulate(script: Script, { bug = {}, keepTrace = false }: RunOptions = {}): Promise<RunResult> {
  const time = new VirtualTime();
  const violations: Violation[] = [];
  const network = new Network({
    time,
    seed: script.seed,
    faults: script.faults,
    keepTrace,
    onFailover: (partition, lost) => void server.failOver(partition, lost, 0),
  });
  const broken = (promise: Violation["promise"], what: string): void => {
    network.trace(`${promise} BROKEN: ${what}`);
    if (violations.length < MOST_VIOLATIONS) violations.push({ promise, what });
  };
  const clock = { aheadMs: 0, backMs: 0 };
  // The model and the processes ask for rules by different ways: what is published is told apart by its version alone.
  const rulesOf: RulesOf = (_, version, session) => {
    if (version > fleet.catalogues.contents.length) throw new Error(`version ${version} was never published`);
    return rulesBy(fleet.catalogues.contents[version - 1], session);
  };
  const server = new Server(
    () => START_MS + Math.floor(time.now) + clock.aheadMs - clock.backMs,
    () => time.now,
    rulesOf,
    broken,
  );
  const fleet: Fleet = new Fleet({ time, network, server, bug, broken });
  const people = new People({ script, time, fleet, server, rulesOf, broken });

  for (const action of script.actions) {
    if (action.do === "wait") time.at(action.at, () => (clock.aheadMs += action.ms));
  }
  for (const fault of script.faults) {
    if (!isCallFault(fault)) time.at(fault.at, () => happen(fault));
  }
  fleet.start();
  if (script.life === "oracle") {
    // The oracle knows nobody who is not under its policy.
    let isPublished = false;
    network.isFaulty = false;
    void fleet.publish(fleet.apis[0], 0).then(() => (isPublished = true));
    await time.run(1_000, () => isPublished);
    server.replicate();
    network.isFaulty = true;
  }
  people.start();

  const lastAt = Math.max(0, ...[...script.actions, ...script.faults].map((one) => ("at" in one ? one.at : 0)));
  await time.run(lastAt + FAULTS_LAST_MS, () => false);
  network.isFaulty = false;
  network.trace("peace");
  fleet.hints = "pass";
  fleet.receiverIsUp = true;
  clock.backMs = 0;
  server.setClocks();
  for (const process of fleet.processes) process.resume();
  await time.run(time.now + PEOPLE_END_MS, () => people.isDone);
  if (!people.isDone) broken("P1", "somebody still tells what was not answered");

  const peaceAt = time.now;
  let isLate = false;
  let waits = "";
  do {
    await time.run(time.now + LOOK_EVERY_MS, () => false);
    waits = await whatWaits({ server, fleet });
    if (
      !isLate &&
      time.now > Math.max(peaceAt, server.lastAcceptedAt) + DRAINED_WITHIN_MS &&
      (await isBehind(server))
    ) {
      isLate = true;
      broken("P10", `${DRAINED_WITHIN_MS / 1_000} s after peace: ${waits}`);
    }
  } while (waits !== "" && time.now < Math.max(peaceAt, server.lastAcceptedAt) + SETTLED_WITHIN_MS);
  if (waits !== "") broken("P10", `never settled: ${waits}`);
  fleet.stop();
  await check({ script, server, fleet, people, broken });

  return {
    seed: script.seed,
    events: server.accepted,
    asked: people.asked,
    doubts: people.doubts,
    faults: Object.fromEntries(network.happened),
    violations,
    traceHash: network.traceHash(),
    played: people.played,
    trace: network.lines,
  };

  function happen(fault: TimedFault): void {
    if (!network.isFaulty) return;
    network.note(fault.kind);
    network.trace(JSON.stringify(fault));
    switch (fault.kind) {
      case "crash":
      case "pause":
        fleet.processes.find(({ name }) => name === fault.process)?.[fault.kind](fault.ms);
        return;
      case "requestsCut":
      case "repliesCut":
        network.cut(fault.kind, fault.process, fault.ms);
        return;
      case "failover":
        server.failOver(fault.partition, fault.lost, fault.backMs);
        return;
      case "clockBack":
        clock.backMs = fault.backMs;
        time.after(fault.ms, () => (clock.backMs = 0));
        return;
      case "receiverDown":
        fleet.receiverIsUp = false;
        time.after(fault.ms, () => (fleet.receiverIsUp = true));
        return;
      case "hintsLost":
      case "hintsDoubled":
        fleet.hints = fault.kind === "hintsLost" ? "lost" : "doubled";
        time.after(fault.ms, () => (fleet.hints = "pass"));
        return;
    }
  }
}
