/** Which guards said no on the way of each record: the session folded once more, with a chart whose guards are listened to. */
import { advance } from "../../machines/advance.js";
import type { JournalRecord } from "../../machines/outcome.js";
import type { Rules } from "../../machines/policy/rules.js";
import { receive } from "../../machines/receive.js";
import { ChartRunner } from "../../machines/session/chart-runner.js";
import { sessionChart } from "../../machines/session/chart.js";
import { guards } from "../../machines/session/guards.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { SessionReplay, isInput } from "../../machines/session-replay.js";
import { NotReplayableError } from "./why-session.js";

type Guard = (asked: never, params: never) => boolean;

/**
 * @param records the session's own, from its first, in order
 * @returns by the record's number, in the order in which they were asked; each once
 * @throws NotReplayableError
 */
export function failedGuards(
  id: SessionId,
  records: readonly JournalRecord[],
  rulesOf: (version: number, session: Session) => Rules,
): ReadonlyMap<number, readonly string[]> {
  const replay = new SessionReplay(id, { rules: rulesOf });
  for (const record of records) replay.take(record);
  if (replay.notReplayed !== undefined || replay.divergence !== undefined) {
    throw new NotReplayableError(`the records of ${id} do not come out again, so what was asked can't be told`, {
      fix: "Leave out --guards. `gatehouse verify` says what is wrong with the journal.",
    });
  }
  let failed = new Set<string>();
  const listened = Object.entries(guards as Readonly<Record<string, Guard>>).map(([name, guard]) => [
    name,
    (asked: never, params: never): boolean => {
      const holds = guard(asked, params);
      if (!holds) failed.add(name);
      return holds;
    },
  ]);
  const chart = new ChartRunner(sessionChart.provide({ guards: Object.fromEntries(listened) as never }));
  const found = new Map<number, readonly string[]>();
  const left = [...records];
  const emit = (): number => {
    const seq = left.shift()?.seq ?? 0;
    found.set(seq, [...failed]);
    failed = new Set();
    return seq;
  };
  const policies = { ...replay.policies, chart };
  let session: Session | undefined;
  for (const record of records) {
    if (!isInput(record)) continue;
    const { event, at, origin, userVersion } = record;
    session = receive(session, id, { event, at, origin, userVersion }, policies, emit);
  }
  const last = records.at(-1);
  if (session !== undefined && last !== undefined) advance(session, last.at, policies, emit);
  return found;
}
