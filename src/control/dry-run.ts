/**
 * What publishing a catalogue would do to the sessions as they stand: each is folded up to now, then under the new version, with the
 * fold that the workers use. Nothing is written. Events that wait for a worker are not folded; versions published already are.
 */
import { type Broadcast, versionInForce } from "../../machines/advance.js";
import { type Decision, decide } from "../../machines/decision.js";
import { type PublishEntry, type RulesOf, foldBatch } from "../../machines/fold-batch.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import type { StatePath } from "../../machines/session/context.js";
import { type Session, type SessionId, resolveFacts, sessionIdParts } from "../../machines/session/session.js";
import { readEntry } from "../ingest/inbox-body.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { readState, readStored } from "../store/partition-view.js";
import type { RulesSource } from "./rules-source.js";

/** Sessions read and folded at a time. */
const PAGE = 500;

const EXAMPLES = 5;

export interface DryRunExample {
  readonly session: SessionId;
  /** The decision's, as in docs/decisions.md: the one that rules it first. */
  readonly reasons: Decision["reasons"];
  /** What the person would be told. */
  readonly message: string;
}

export interface DryRunMove {
  readonly from: StatePath;
  readonly to: StatePath;
  readonly sessions: number;
  /** Up to five. */
  readonly examples: readonly DryRunExample[];
}

export interface DryRun {
  /** The tenant's. */
  readonly sessions: number;
  readonly stateChanges: number;
  /** Rules change, and the state stays. */
  readonly rulesOnly: number;
  /** From `allow` or `challenge` to `deny`. */
  readonly loseAccess: number;
  /** From `deny` to `allow` or `challenge`. */
  readonly gainAccess: number;
  /** From `allow` to `challenge`. */
  readonly challenged: number;
  /** Sessions whose data the app would be told to remove. */
  readonly wiped: number;
  readonly wipedExamples: readonly DryRunExample[];
  /** Most sessions first. */
  readonly moves: readonly DryRunMove[];
  /** Stored, and can't be read: decisions for them are deny. */
  readonly unreadable: number;
}

export interface DryRunTarget {
  readonly store: PartitionStore;
  readonly rules: RulesSource;
}

/**
 * @param candidate its version is the one after the current
 * @param onProgress hears how many stored sessions were seen
 * @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError
 */
export async function dryRun(
  { store, rules }: DryRunTarget,
  tenant: string,
  candidate: Catalogue,
  onProgress: (seen: number) => void = () => undefined,
): Promise<DryRun> {
  const resolver = new Resolver(candidate);
  const rulesOf: RulesOf = (whose, version, session) =>
    whose === tenant && version === candidate.version
      ? resolver.rules(resolveFacts(session))
      : rules.rulesOf(whose, version, session);
  const tally = new Tally();
  let seen = 0;
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    const { now, state, entries } = await store.peek(partition, BROADCAST);
    const { policies } = readState(state);
    const published = entries.map(readEntry).filter((entry) => entry.kind === "publish");
    await rules.prepare(policies, published);
    const folded = fold({ tenant, candidate: candidate.version, policies, published, now, rulesOf }, tally);
    // A scan may give a session twice.
    const known = new Set<SessionId>();
    let from: string | null = null;
    do {
      const { snapshots, next }: Awaited<ReturnType<PartitionStore["scan"]>> = await store.scan(partition, from, PAGE);
      const sessions = new Map<SessionId, Session>();
      for (const text of snapshots) {
        const stored = readStored(text);
        if ("unreadable" in stored) tally.unreadable++;
        else if (!known.has(stored.id) && sessionIdParts(stored.id).tenant === tenant) {
          known.add(stored.id);
          sessions.set(stored.id, stored);
        }
      }
      folded(sessions);
      seen += snapshots.length;
      onProgress(seen);
      from = next;
    } while (from !== null);
  }
  return tally.report();
}

interface Folding {
  readonly tenant: string;
  readonly candidate: number;
  readonly policies: ReturnType<typeof readState>["policies"];
  readonly published: readonly PublishEntry[];
  readonly now: number;
  readonly rulesOf: RulesOf;
}

/** Folds one partition's sessions, page by page, into the tally. */
function fold(
  { tenant, candidate, policies, published, now, rulesOf }: Folding,
  tally: Tally,
): (sessions: ReadonlyMap<SessionId, Session>) => void {
  const publishing: PublishEntry = { kind: "publish", tenant, version: candidate, at: now };
  return (sessions) => {
    const due = [...sessions.keys()].sort();
    const batch = { horizon: now, due, seq: 0 };
    const before = foldBatch({ ...batch, policies, entries: published, sessions }, rulesOf);
    const after = foldBatch(
      { ...batch, policies: before.policies, entries: [publishing], sessions: before.sessions },
      rulesOf,
    );
    const inForce: { base: number; broadcasts: readonly Broadcast[] } | undefined = before.policies[tenant];
    const version = inForce === undefined ? 0 : versionInForce(inForce, now);
    const wiped = new Set(after.effects.filter(({ effect }) => effect.type === "wipe").map(({ session }) => session));
    for (const id of due) {
      const [was, is] = [before.sessions.get(id), after.sessions.get(id)];
      if (was === undefined || is === undefined) continue;
      tally.sessions++;
      if (was.rulesHash === is.rulesHash) continue;
      const decided = (session: Session, by: number) => decide(session, rulesOf(tenant, by, session), now);
      tally.add(was, is, decided(was, version), decided(is, candidate), wiped.has(id));
    }
  };
}

class Tally {
  sessions = 0;
  unreadable = 0;
  private rulesOnly = 0;
  private stateChanges = 0;
  private loseAccess = 0;
  private gainAccess = 0;
  private challenged = 0;
  private wiped = 0;
  private readonly wipedExamples: DryRunExample[] = [];
  private readonly moves = new Map<string, DryRunMove & { sessions: number; readonly examples: DryRunExample[] }>();

  add(was: Session, is: Session, before: Decision, after: Decision, isWiped: boolean): void {
    const example = { session: is.id, reasons: after.reasons, message: after.message.text };
    if (was.state === is.state) this.rulesOnly++;
    else {
      this.stateChanges++;
      const key = `${was.state} ${is.state}`;
      const move = this.moves.get(key) ?? { from: was.state, to: is.state, sessions: 0, examples: [] };
      this.moves.set(key, move);
      move.sessions++;
      if (move.examples.length < EXAMPLES) move.examples.push(example);
    }
    if (before.decision !== "deny" && after.decision === "deny") this.loseAccess++;
    if (before.decision === "deny" && after.decision !== "deny") this.gainAccess++;
    if (before.decision === "allow" && after.decision === "challenge") this.challenged++;
    if (isWiped) {
      this.wiped++;
      if (this.wipedExamples.length < EXAMPLES) this.wipedExamples.push(example);
    }
  }

  report(): DryRun {
    const { sessions, stateChanges, rulesOnly, loseAccess, gainAccess, challenged, wiped, wipedExamples } = this;
    return {
      sessions,
      stateChanges,
      rulesOnly,
      loseAccess,
      gainAccess,
      challenged,
      wiped,
      wipedExamples,
      moves: [...this.moves.values()].sort((one, other) => other.sessions - one.sessions),
      unreadable: this.unreadable,
    };
  }
}
