/** Whether work is done: judged by two looks at the partitions, a little apart. */
import type { ClockKind } from "../../store/partition-store.js";
import { type PartitionFacts, greatest, sumOf } from "../../metrics/deployment-facts.js";
import { type DoctorCheck, failed, ok, plural, some, warning } from "./check.js";
import { count, duration } from "../terminal.js";

/** An event that waits for longer is one that no worker looks after. */
export const MAX_WAIT_MS = 10_000;
const WARNED_WAIT_MS = 2_000;
/** By how much a partition's clock may be before its server's: it never goes back, so it then stands still. */
const MAX_LEAD_MS = 1_000;

export interface Looks {
  readonly before: readonly PartitionFacts[];
  readonly after: readonly PartitionFacts[];
}

/** Has something to do. */
export const isBehind = ({ waiting, timersLate }: PartitionFacts): boolean => waiting > 0 || timersLate > 0;

/** Partitions that had work to do at both looks, and in which nothing at all was committed in between. */
export function stuckPartitions({ before, after }: Looks): readonly PartitionFacts[] {
  const tokens = new Map(before.filter(isBehind).map(({ partition, token }) => [partition, token]));
  return after.filter((facts) => isBehind(facts) && tokens.get(facts.partition) === facts.token);
}

/** @param workers processes that wait for work; `undefined`: the server does not tell */
export function workersCheck(workers: number | undefined): DoctorCheck {
  if (workers === undefined) return ok("workers", "Redis does not tell who is connected");
  return workers > 0
    ? ok("workers", `${plural(workers, "worker is", "workers are")} connected`)
    : warning(
        "workers",
        "no worker is connected: events are accepted and decisions are right, but no effect goes out",
        "Start one: `gatehouse work`, or `gatehouse up` for development.",
      );
}

export function backlogCheck({ after }: Looks): DoctorCheck {
  const name = "backlog";
  const waiting = sumOf(after, "waiting");
  if (waiting === 0) return ok(name, "no event waits for a worker");
  const waitMs = greatest(after, "waitMs");
  const behind = after.filter((facts) => facts.waiting > 0);
  const most = behind.reduce((one, other) => (other.waiting > one.waiting ? other : one));
  const said = `${plural(waiting, "event waits", "events wait")} in ${plural(behind.length, "partition")}, most in ${most.partition} (${count(most.waiting)})${waitMs > 0 ? `, the oldest for ${duration(waitMs)}` : ""}`;
  const fix =
    "Add workers, or give them more GATEHOUSE_CONCURRENCY. `gatehouse stats --watch` shows whether they keep up.";
  if (waitMs > MAX_WAIT_MS) return failed(name, said, fix);
  return waitMs > WARNED_WAIT_MS ? warning(name, said, fix) : ok(name, said);
}

export function stuckCheck(looks: Looks, apartMs: number): DoctorCheck {
  const name = "stuck";
  const stuck = stuckPartitions(looks);
  const behind = looks.after.filter(isBehind);
  if (stuck.length === 0) return ok(name, "no partition stands still with work to do");
  const said = `${plural(stuck.length, "partition stands", "partitions stand")} still with work to do: in ${duration(apartMs)} nothing was committed in ${some(stuck.map(({ partition }) => partition))}`;
  const fix =
    stuck.length === behind.length
      ? "It looks as if no worker works: start one with `gatehouse work`, or read the log of those that run."
      : "The others go on, so look in the workers' logs for these partitions; `snapshot.version` there means that a newer release wrote a session: run that release.";
  return failed(name, said, fix);
}

export function deadlinesCheck({ after }: Looks): DoctorCheck {
  const name = "deadlines";
  const late = sumOf(after, "timersLate");
  const overdueMs = greatest(after, "overdueMs");
  if (late === 0) return ok(name, "no deadline is late");
  const said = `${plural(late, "session has", "sessions have")} a deadline that is past, by up to ${duration(overdueMs)}; access ends at the deadline all the same, effects follow late`;
  const fix = "Start workers, or more of them. Deadlines fire by their own time, so nothing is lost by it.";
  if (overdueMs > MAX_WAIT_MS) return failed(name, said, fix);
  return overdueMs > WARNED_WAIT_MS ? warning(name, said, fix) : ok(name, said);
}

/** @param serverNow by Redis's clock, epoch ms */
export function deploymentCheck({ after }: Looks, clock: ClockKind, serverNow: number): DoctorCheck {
  const name = "deployment";
  const said = `${plural(after.length, "partition")}, ${plural(sumOf(after, "sessions"), "session")}`;
  if (clock === "event") return ok(name, `${said}; its clock is that of its events`);
  const leads = after.filter(({ now }) => now - serverNow > MAX_LEAD_MS);
  if (leads.length === 0) return ok(name, said);
  const leadMs = greatest(leads, "now") - serverNow;
  return warning(
    name,
    `${said}; the clock of ${plural(leads.length, "partition")} is up to ${duration(leadMs)} before Redis's, and stands still until that has caught up: ${some(leads.map(({ partition }) => partition))}`,
    "Redis's clock went back, or a replica with another clock took over. Have the servers' clocks set by NTP; deadlines fire late until then.",
  );
}

export function lostCheck({ after }: Looks): DoctorCheck {
  const name = "lost";
  const lost = after.filter((facts) => facts.lost !== undefined);
  if (lost.length === 0) return ok(name, "no failover is known to have lost an accepted event");
  return failed(
    name,
    `a failover lost events that had been accepted in ${plural(lost.length, "partition")}, whose decisions are all deny: ${some(lost.map(({ partition }) => partition))}`,
    "`gatehouse reconcile` says between which times. Have them sent again, with the same ids, then let it go on.",
  );
}

export function walkCheck({ before, after }: Looks): DoctorCheck {
  const name = "walk";
  const [left, leftBefore] = [sumOf(after, "unwalked"), sumOf(before, "unwalked")];
  if (left === 0) return ok(name, "every session has the policies in force");
  const said = `a published version has yet to be brought to ${plural(left, "idle session")}; decisions obey it already`;
  return left < leftBefore
    ? ok(name, `${said}; it is under way`)
    : warning(
        name,
        `${said}; it does not go on`,
        "The walk is done by workers, after what waits: start them, or more of them.",
      );
}
