/** What redriving and dropping have in common: they go from session to session, say how far they are, and can be run again. */
import { Option } from "commander";
import type { SessionId } from "../../../machines/session/session.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import type { QuarantineDecision } from "../../ingest/inbox-body.js";
import { type Decided, type DecideOptions, decideQuarantine } from "../../quarantine/decide-quarantine.js";
import { type SetAside, readSetAside } from "../../quarantine/set-aside.js";
import { NotQuarantinedError } from "../../quarantine/quarantine-errors.js";
import type { PartitionStore } from "../../store/partition-store.js";
import { EXIT } from "../exit-code.js";
import { interruption } from "../interrupt.js";
import { shortId, span } from "../options.js";
import { progressBar } from "../progress-bar.js";
import { count, counted, note, paintOut, print } from "../terminal.js";

export const waitOption = (): Option =>
  new Option("--wait <time>", "how long a worker is waited for, for each session")
    .argParser(span)
    .default(10_000, "10s");

/** Sessions decided on side by side. */
const SIDE_BY_SIDE = 8;

/** Sessions of which a reader is told one by one. */
const SHOWN = 50;

export interface SessionDecided {
  readonly session: SessionId;
  readonly result: Decided;
}

/** What a preview says of one. Of thousands, their events would be too much to hold. */
export interface Previewed extends Pick<SetAside, "session" | "kind" | "reason" | "at" | "isCut"> {
  /** Events that a redrive applies. */
  readonly events: number;
  /** Of them, what is obeyed though the session is given up. */
  readonly obeyed: number;
}

/**
 * Those that are set aside, as they stand, in the order of `ids`.
 * @throws NotQuarantinedError if one is not, and `isNamed`
 */
export async function readAll(
  { store }: OpenDeployment,
  ids: readonly SessionId[],
  isNamed: boolean,
): Promise<Previewed[]> {
  const found: (Previewed | undefined)[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < ids.length) {
      const place = next++;
      found[place] = await preview(store, ids[place] as SessionId, isNamed);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return found.filter((one) => one !== undefined);
}

async function preview(store: PartitionStore, id: SessionId, isNamed: boolean): Promise<Previewed | undefined> {
  try {
    const found = await readSetAside(store, id);
    if (found === undefined) return undefined;
    const { session, kind, reason, at, isCut, toRedrive, toObey } = found;
    return {
      session,
      kind,
      reason,
      ...(at !== undefined && { at }),
      isCut,
      events: toRedrive.length,
      obeyed: toObey.length,
    };
  } catch (error) {
    // Somebody else may have been faster.
    if (error instanceof NotQuarantinedError && !isNamed) return undefined;
    throw error;
  }
}

/**
 * Decides on each. A signal ends it between sessions.
 * @throws StoreUnavailableError; what was decided until then stays so
 */
export async function decideAll(
  deployment: OpenDeployment,
  ids: readonly SessionId[],
  decision: QuarantineDecision,
  options: Omit<DecideOptions, "signal">,
  onDecided: (decided: readonly SessionDecided[]) => void,
): Promise<{ readonly decided: readonly SessionDecided[]; readonly isInterrupted: boolean }> {
  const { signal, release } = interruption();
  const bar = progressBar(ids.length, "sessions");
  const decided: SessionDecided[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      while (next < ids.length && !signal.aborted) {
        const session = ids[next++] as SessionId;
        const result = await decideQuarantine(deployment, session, decision, { ...options, signal });
        decided.push({ session, result });
        bar.show(decided.length);
        onDecided(decided);
      }
    } catch (error) {
      next = ids.length;
      throw error;
    }
  };
  const lanes = Array.from({ length: SIDE_BY_SIDE }, lane);
  try {
    await Promise.all(lanes);
  } finally {
    // What the others have begun is counted, too.
    await Promise.allSettled(lanes);
    bar.stop();
    release();
  }
  const places = new Map(ids.map((id, place) => [id, place]));
  decided.sort((one, other) => (places.get(one.session) ?? 0) - (places.get(other.session) ?? 0));
  return { decided, isInterrupted: decided.length < ids.length };
}

/** How many ended in which way. */
export function tallied(decided: readonly SessionDecided[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result } of decided) counts[result.status] = (counts[result.status] ?? 0) + 1;
  return counts;
}

/** Tells how it ended, and sets the exit code: 3 if some session stays set aside. */
export function report(
  done: string,
  { decided, isInterrupted }: { readonly decided: readonly SessionDecided[]; readonly isInterrupted: boolean },
  total: number,
  isQuiet: boolean,
): void {
  const isSettled = ({ result: { status } }: SessionDecided): boolean => status === "done" || status === "free";
  if (!decided.every(isSettled)) process.exitCode = EXIT.refused;
  if (isInterrupted) process.exitCode = EXIT.interrupted;
  if (isQuiet) return;
  // Where not all can be named, those that somebody still has to look at are.
  const first =
    decided.length > SHOWN ? [...decided].sort((one, other) => +isSettled(one) - +isSettled(other)) : decided;
  for (const { session, result } of first.slice(0, SHOWN)) print(`${words(done, result)}  ${shortId(session)}`);
  if (decided.length > SHOWN) note(`… and ${count(decided.length - SHOWN)} more; --json has them all.`);
  if (isInterrupted)
    note(`Interrupted: ${count(decided.length)} of ${count(total)} sessions were decided. Run it again to go on.`);
  if (decided.some(({ result }) => result.status === "waiting"))
    note("What waits is done by the next worker that runs. Running this again does no harm.");
}

function words(done: string, result: Decided): string {
  switch (result.status) {
    case "done":
      return `${paintOut("green", done)}, ${counted(result.events, "event")}, now ${result.state}`;
    case "free":
      return `${paintOut("green", "not quarantined")} any more`;
    case "again":
      return `${paintOut("red", "quarantined again")}: ${result.reason}`;
    case "waiting":
      return `${paintOut("yellow", "waiting")} for a worker`;
    case "cut":
      return `${paintOut("red", "left alone")}: the journal no longer holds all of it (--despite-loss)`;
    case "unreadable":
      return `${paintOut("red", "left alone")}: its snapshot can't be read; it can be dropped`;
    case "tooMany":
      return `${paintOut("red", "left alone")}: ${count(result.events)} events are too many to redrive; it can be dropped`;
    case "unknown":
      return "gone";
  }
}
