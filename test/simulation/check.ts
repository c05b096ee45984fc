/** After the peace: what was promised, held against what is there. */
import { decide } from "../../machines/decision.js";
import { isSame } from "../../machines/is-same.js";
import type { JournalRecord } from "../../machines/outcome.js";
import { isInput } from "../../machines/session-replay.js";
import { stateName } from "../../machines/session/context.js";
import { type Session, sessionIdParts } from "../../machines/session/session.js";
import { isUserEvent } from "../../machines/users/user-record.js";
import { neededWalk } from "../../machines/walk.js";
import { effectId } from "../../src/effects/effect-id.js";
import { GENESIS_HEAD, isTombstone, verifyChain } from "../../src/store/journal-chain.js";
import type { JournalEntry } from "../../src/store/partition-store.js";
import { effectBody, readState, readStored } from "../../src/store/partition-view.js";
import { sessionKey } from "../../src/store/session-key.js";
import type { Fleet } from "./fleet.js";
import type { Model } from "./model.js";
import { type People, SOURCE } from "./people.js";
import type { Script } from "./script.js";
import { PREFIX, type Server } from "./server.js";
import type { Broken } from "./violations.js";
import { PARTITIONS, rulesBy } from "./world.js";

export interface CheckInput {
  readonly script: Script;
  readonly server: Server;
  readonly fleet: Fleet;
  readonly people: People;
  readonly broken: Broken;
}

/** What still has to be done, in words; `""`: nothing. */
export async function whatWaits({ server, fleet }: Pick<CheckInput, "server" | "fleet">): Promise<string> {
  const waits: string[] = [];
  for (const { partition, behind, timersDue, outboxSize, state } of await server.store.survey(numbers())) {
    if (behind) waits.push(`partition ${partition} has events`);
    if (timersDue > 0) waits.push(`partition ${partition} has ${timersDue} deadlines due`);
    if (outboxSize > 0) waits.push(`partition ${partition} has ${outboxSize} effects`);
    if (neededWalk(readState(state).policies) !== undefined) waits.push(`partition ${partition} has policies to walk`);
  }
  if ((await server.users.due(null, 1)).changes.length > 0) waits.push("users' changes are to be told");
  // One that was never stored is nobody's but its publisher's.
  const current = await fleet.catalogues.current();
  if ((await fleet.catalogues.unannounced()).some(({ version }) => version <= current))
    waits.push("a version is to be announced");
  return waits.join(", ");
}

/** Whether events wait for a worker. */
export async function isBehind(server: Server): Promise<boolean> {
  return (await server.store.survey(numbers())).some(({ behind }) => behind);
}

export async function check(input: CheckInput): Promise<void> {
  const { server, people, broken } = input;
  const recorded = new Map<string, string[]>();
  const lost = new Set([...server.lostEvents].map((name) => name.split(" ", 1)[0] as string));
  for (const partition of numbers()) {
    const records = await journalOf(input, partition);
    for (const { origin, session, event } of records) {
      if (origin?.source !== SOURCE || isUserEvent(event) || lost.has(origin.id)) continue;
      const { device } = sessionIdParts(session);
      const ids = recorded.get(device);
      if (ids === undefined) recorded.set(device, [origin.id]);
      else ids.push(origin.id);
    }
    checkEffects(input, partition, records);
    await checkSessions(input, partition, records);
  }
  for (const device of new Set([...people.accepted.keys(), ...recorded.keys()])) {
    const accepted = (people.accepted.get(device) ?? []).filter((id) => !lost.has(id));
    const there = recorded.get(device) ?? [];
    if (accepted.join() !== there.join()) broken("P2", `${device}: ${firstDifference(accepted, there)}`);
  }
  for (const [id, text] of server.effects) {
    const delivered = input.fleet.delivered.get(id);
    if (text !== null && delivered === undefined) broken("P5", `effect ${id} was never delivered: ${text}`);
  }
  for (const id of input.fleet.delivered.keys()) {
    if (!server.effects.has(id)) broken("P3", `effect ${id} was delivered, and never committed`);
  }
}

const numbers = (): number[] => Array.from({ length: PARTITIONS }, (_, n) => n);

/** The partition's records, with their chain and order checked. */
async function journalOf({ server, broken }: CheckInput, partition: number): Promise<JournalRecord[]> {
  const { seq, head } = await server.store.image(partition);
  const entries = await server.store.records(
    partition,
    Array.from({ length: seq }, (_, n) => n + 1),
  );
  const found = entries.filter((entry): entry is JournalEntry => entry !== null);
  const verdict = verifyChain(GENESIS_HEAD, 1, found);
  if (!verdict.intact) broken("P9", `partition ${partition}: record ${verdict.seq} is ${verdict.reason}`);
  else if (found.length < seq)
    broken("P9", `partition ${partition}: the journal has ${found.length} of ${seq} records`);
  else if (verdict.head !== head && seq > 0) broken("P9", `partition ${partition}: the journal's head is another one`);
  const last = new Map<string, number>();
  return found.flatMap((entry) => {
    if (isTombstone(entry)) return [];
    const record = JSON.parse(entry.body) as JournalRecord;
    if (record.from !== undefined) {
      if ((record.previous ?? 0) !== (last.get(record.session) ?? 0))
        broken("P9", `partition ${partition}: record ${entry.seq} names ${record.previous ?? 0} as the one before it`);
      last.set(record.session, entry.seq);
    }
    return [record];
  });
}

/** Each effect of a record was committed with it. */
function checkEffects({ server, broken }: CheckInput, partition: number, records: readonly JournalRecord[]): void {
  for (const { seq, session, revision, at, effects } of records) {
    for (const [n, effect] of effects.entries()) {
      const own = `${seq}-${n}`;
      const body = effectBody({ id: own, session, revision, at, effect }, undefined);
      const id = effectId(PREFIX, partition, own, body);
      if (server.effects.get(id) !== body)
        broken("P3", `${effect.type} of record ${seq} of partition ${partition} was not committed with it`);
    }
  }
}

/** Records and sessions are those of a worker that never failed. */
async function checkSessions(input: CheckInput, partition: number, records: readonly JournalRecord[]): Promise<void> {
  const { server, broken, people, script, fleet } = input;
  const { snapshots, clock } = await server.store.image(partition);
  const [survey] = await server.store.survey([partition]);
  const model = server.model(partition);
  const now = Math.max(clock, survey?.now ?? 0);
  model.finish(now);
  const bySession = new Map<string, JournalRecord[]>();
  for (const record of records) {
    const some = bySession.get(record.session);
    if (some === undefined) bySession.set(record.session, [record]);
    else some.push(record);
  }
  for (const id of new Set([...bySession.keys(), ...model.records.keys()])) {
    const difference = differenceOf(model.records.get(id) ?? [], bySession.get(id) ?? []);
    if (difference !== undefined) broken(difference.isOfDeadline ? "P8" : "P2", `${id}: ${difference.what}`);
    const text = snapshots.get(sessionKey(id));
    const stored = text === undefined ? undefined : readStored(text);
    const expected = model.sessions.get(id);
    if (stored !== undefined && "unreadable" in stored) broken("P3", `${id} can't be read: ${stored.unreadable}`);
    else if (!isSame(stored && plain(stored), expected && plain(expected)))
      broken("P2", `${id} is stored as ${describe(stored)}, and should be ${describe(expected)}`);
    if (script.life === "oracle") checkOracle(model, id, expected);
  }
  if (snapshots.size !== model.sessions.size)
    broken("P2", `partition ${partition} has ${snapshots.size} sessions, and should have ${model.sessions.size}`);

  function checkOracle(of: Model, id: string, session: Session | undefined): void {
    const oracle = people.oracleOf(of.entriesOf(id));
    const state = session === undefined ? "none" : stateName(session.state);
    if (state !== oracle.state) broken("P2", `${id} ends in ${state}, the oracle says ${oracle.state}`);
    if (session === undefined) return;
    const { decision } = decide(session, rulesBy(fleet.catalogues.contents.at(-1), session), now);
    if ((decision === "allow") !== oracle.hasAccess) broken("P6", `${id} is answered ${decision} in ${state}`);
  }
}

/** Without what depends on who looked when, and on the numbers of records, which other sessions have a part in. */
function plain({ quarantine, ...session }: Session): Partial<Session> {
  const { since: _, ...aside } = quarantine ?? {};
  return { ...session, lastRecord: 0, asOf: 0, ...(quarantine && { quarantine: aside as never }) };
}

function differenceOf(
  expected: readonly JournalRecord[],
  there: readonly JournalRecord[],
): { readonly what: string; readonly isOfDeadline: boolean } | undefined {
  for (let n = 0; n < Math.max(expected.length, there.length); n++) {
    const [one, other] = [expected[n], there[n]];
    if (
      one !== undefined &&
      other !== undefined &&
      isSame({ ...one, seq: 0, previous: 0 }, { ...other, seq: 0, previous: 0 })
    )
      continue;
    const isOfDeadline = [one, other].some((record) => record !== undefined && !isInput(record));
    return { what: `record ${n + 1} should be ${tell(one)}, and is ${tell(other)}`, isOfDeadline };
  }
  return undefined;
}

const tell = (record: JournalRecord | undefined): string =>
  record === undefined ? "none" : JSON.stringify({ ...record, session: undefined, rules: undefined });

const describe = (session: Session | undefined): string => (session === undefined ? "none" : JSON.stringify(session));

function firstDifference(accepted: readonly string[], there: readonly string[]): string {
  const n = accepted.findIndex((id, index) => there[index] !== id);
  const at = n === -1 ? accepted.length : n;
  return `event ${at + 1} was accepted as ${accepted[at] ?? "nothing"} and is recorded as ${there[at] ?? "nothing"} (${accepted.length} accepted, ${there.length} recorded)`;
}
