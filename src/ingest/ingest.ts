/**
 * Takes events in: each valid one is appended to its partition's inbox, and whoever drains a partition that was at rest
 * is woken. An event about a user changes the user's record and is then told to each of the user's sessions; a sign-in puts its
 * session among them. One bad event never costs a good one.
 */
import type { Emitter } from "../../machines/events/define-event.js";
import { StoreUnavailableError } from "../errors.js";
import { type Append, type AppendResult, MAX_APPENDS, type PartitionStore } from "../store/partition-store.js";
import { fingerprint, partitionOf, sessionKey } from "../store/session-key.js";
import { AcceptSpans } from "../tracing/accept-spans.js";
import type { UserStore } from "../users/user-store.js";
import { type AcceptedEvent, type AcceptedUserEvent, acceptEvent } from "./accept.js";
import { eventBody } from "./inbox-body.js";
import type { Refusal } from "./refusal.js";
import { SignIns, isSignIn } from "./sign-ins.js";
import { UserEvents } from "./user-events.js";

/** Asks for a partition to be drained. A hint: losing it costs latency alone. */
export type Wake = (partition: number) => void;

/** What became of one event. An account switch concerns two sessions, so its worst answer counts: unknown, conflict, accepted, duplicate. */
export type IngestResult =
  | { readonly status: "accepted" }
  /** It was accepted before. */
  | { readonly status: "duplicate" }
  /** Another event with the same source and id was accepted before; this one was not stored. */
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly refusal: Refusal }
  /** The store did not answer; it may have been accepted. Sending it again is safe. */
  | { readonly status: "unknown"; readonly error: StoreUnavailableError };

export interface IngestTarget {
  readonly store: PartitionStore;
  readonly users: UserStore;
  readonly wake: Wake;
}

export interface IngestReport {
  /** One for each event, in order. */
  readonly results: readonly IngestResult[];
  /** For each event, in order, the answers for the sessions that it concerns: two for a switch between two accounts, else one. */
  readonly answers: readonly (readonly IngestResult[])[];
  /** How many answers there are of each kind. They add up: sent = accepted + duplicate + conflict + refused + unknown. */
  readonly totals: IngestTotals;
}

export interface IngestTotals {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  readonly unknown: number;
}

export const NO_TOTALS: IngestTotals = { sent: 0, accepted: 0, duplicate: 0, conflict: 0, refused: 0, unknown: 0 };

/** What was counted, and these answers. */
export function addAnswers(totals: IngestTotals, answers: readonly (readonly IngestResult[])[]): IngestTotals {
  const sum: { -readonly [Name in keyof IngestTotals]: number } = { ...totals };
  for (const several of answers) {
    for (const { status } of several) {
      sum.sent++;
      sum[status]++;
    }
  }
  return sum;
}

export type Unknown = Extract<IngestResult, { status: "unknown" }>;

export interface IngestOptions {
  /** Whose events the caller may report; absent: everybody's. */
  readonly emitters?: readonly Emitter[] | undefined;
  /**
   * Awaited after every so many events, so that others whom this process serves need not wait for a whole batch. What is taken in meanwhile
   * may come before the rest. Absent: all at once.
   */
  readonly pause?: () => Promise<unknown>;
}

/** Events that are read, and then sent to the store, between two pauses: a millisecond or two of work. */
const READ_AT_ONCE = 25;
const SENT_AT_ONCE = 64;

type Addressed = { readonly index: number; readonly event: AcceptedEvent };
type AboutUser = { readonly index: number; readonly userEvent: AcceptedUserEvent };

/**
 * @param inputs events as producers sent them, parsed from JSON; order within a device is kept, and within a user what is told of the user
 * @param tenant the caller's tenant
 */
export async function ingest(
  target: IngestTarget,
  tenant: string,
  inputs: readonly unknown[],
  { emitters, pause }: IngestOptions = {},
): Promise<IngestReport> {
  const { partitionCount } = target.store.deployment;
  const answers: IngestResult[][] = inputs.map(() => []);
  const lanes = new Map<number, (Addressed | AboutUser)[]>();
  const signIns = new SignIns(target, tenant);
  const userEvents = new UserEvents(target, tenant);
  const ofNoDevice: AboutUser[] = [];
  const signInPlaces: number[] = [];

  const enter = (device: string, one: Addressed | AboutUser): void => {
    const partition = partitionOf(tenant, device, partitionCount);
    const lane = lanes.get(partition);
    if (lane === undefined) lanes.set(partition, [one]);
    else lane.push(one);
  };
  for (const [index, input] of inputs.entries()) {
    if (pause !== undefined && index > 0 && index % READ_AT_ONCE === 0) await pause();
    const acceptance = acceptEvent(input, tenant, emitters);
    if ("refusal" in acceptance) {
      answers[index]?.push({ status: "refused", refusal: acceptance.refusal });
    } else if ("userEvent" in acceptance) {
      const { userEvent } = acceptance;
      userEvents.expect(userEvent);
      if (userEvent.device === undefined) ofNoDevice.push({ index, userEvent });
      else enter(userEvent.device, { index, userEvent });
    } else {
      for (const event of acceptance.events) {
        if (isSignIn(event)) {
          signIns.expect(event);
          signInPlaces.push(index);
        }
        enter(event.device, { index, event });
      }
    }
  }

  const tellUser = async ({ index, userEvent }: AboutUser, unsent?: Unknown): Promise<IngestResult> => {
    const answer = await userEvents.take(userEvent, unsent);
    answers[index]?.push(answer);
    return answer;
  };
  /** One after the other: a device's events keep their order. */
  const run = async (partition: number, lane: readonly (Addressed | AboutUser)[]): Promise<void> => {
    let unsent: Unknown | undefined;
    for (const part of partsOf(lane)) {
      // After an append in doubt nothing more of the partition is sent: sent again, the earlier events would come later.
      if ("userEvent" in part) {
        const answer = await tellUser(part, unsent);
        if (answer.status === "unknown") unsent ??= notSent(answer.error);
        continue;
      }
      const appended = unsent ?? (await append(target, signIns, tenant, partition, part));
      part.forEach(({ index }, n) =>
        answers[index]?.push("error" in appended ? appended : (appended[n] as IngestResult)),
      );
      if ("error" in appended) unsent ??= notSent(appended.error);
    }
  };
  const underWay: Promise<unknown>[] = [];
  let sent = 0;
  for (const [partition, lane] of lanes) {
    if (pause !== undefined && sent >= SENT_AT_ONCE) {
      // What fails during the pause is heard of at the end.
      for (const one of underWay) one.catch(() => undefined);
      await pause();
      sent = 0;
    }
    underWay.push(run(partition, lane));
    sent += lane.length;
  }
  for (const one of ofNoDevice) underWay.push(tellUser(one));
  await Promise.all(underWay);

  const behind = await signIns.catchUp();
  if (behind !== undefined) {
    // They are stored, but may not know all that is known of their users: sent again, they will.
    for (const index of signInPlaces) {
      const [answer] = answers[index] ?? [];
      if (answer?.status === "accepted" || answer?.status === "duplicate") answers[index] = [behind];
    }
  }
  return report(answers);
}

/** A lane cut where something about a user comes in between, and where one call of the store is full. */
function* partsOf(lane: readonly (Addressed | AboutUser)[]): Generator<Addressed[] | AboutUser> {
  let part: Addressed[] = [];
  let appends = 0;
  for (const one of lane) {
    const isEvent = "event" in one;
    const needed = isEvent && isSignIn(one.event) ? 2 : 1;
    if (part.length > 0 && (!isEvent || appends + needed > MAX_APPENDS)) {
      yield part;
      part = [];
      appends = 0;
    }
    if (!isEvent) yield one;
    else {
      part.push(one);
      appends += needed;
    }
  }
  if (part.length > 0) yield part;
}

async function append(
  { store, wake }: IngestTarget,
  signIns: SignIns,
  tenant: string,
  partition: number,
  addressed: readonly Addressed[],
): Promise<readonly IngestResult[] | Unknown> {
  const spans = new AcceptSpans(partition);
  try {
    const hasSignIns = addressed.some(({ event }) => isSignIn(event));
    if (hasSignIns) await signIns.joined();
    const appends: Append[] = [];
    const places = addressed.map(({ event }) => {
      const body = eventBody(event);
      const traceparent = spans.begin(event);
      const place = appends.push({
        session: sessionKey(event.session),
        body: traceparent === undefined ? body : eventBody(event, traceparent),
        time: event.time,
        fingerprint: fingerprint(tenant, event.source, event.id, body),
      });
      const known = hasSignIns ? signIns.recordAppend(event) : undefined;
      if (known !== undefined) appends.push(known);
      return place - 1;
    });
    const appended = await store.ingest(partition, appends);
    if (appended.wake) wake(partition);
    if (hasSignIns) for (const { event } of addressed) if (isSignIn(event)) signIns.isStored(event);
    const results = places.map((place) => ({ status: (appended.results[place] as AppendResult).status }));
    spans.end(results.map(({ status }) => status));
    return results;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    spans.fail(error);
    return { status: "unknown", error };
  }
}

function notSent(cause: StoreUnavailableError): Unknown {
  const error = new StoreUnavailableError("not sent, because an earlier append to the same partition failed", {
    cause,
    outcomeUnknown: false,
  });
  return { status: "unknown", error };
}

/** The answer that says most of what the caller must know: what is in doubt or refused counts before what went well. */
const WORST_FIRST = ["unknown", "refused", "conflict", "accepted", "duplicate"] as const;

function report(answers: readonly (readonly IngestResult[])[]): IngestReport {
  const results = answers.map((several) =>
    several.reduce((one, other) => (WORST_FIRST.indexOf(other.status) < WORST_FIRST.indexOf(one.status) ? other : one)),
  );
  return { results, answers, totals: addAnswers(NO_TOTALS, answers) };
}
