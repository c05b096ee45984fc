/**
 * Transitions as they are committed, read from the journals' ends. Whoever comes back with the position of the last one seen misses nothing
 * that the journals still hold, and sees nothing twice; what they no longer hold is told.
 */
import type { JournalRecord } from "../../machines/outcome.js";
import { sessionIdParts } from "../../machines/session/session.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { isTombstone } from "../store/journal-chain.js";
import type { JournalEntry, PartitionSurvey } from "../store/partition-store.js";
import { PoliciesOfRules } from "./policies-of-rules.js";
import { Standings } from "./standings.js";
import { type StreamPosition, writePosition } from "./stream-position.js";
import {
  type Standing,
  type Transition,
  type TransitionFilter,
  isCaused,
  matchesRecord,
  toTransition,
} from "./transition.js";

/** Records read of a partition at a time. */
const PAGE = 100;

export type Followed =
  | { readonly kind: "transition"; readonly transition: Transition }
  /** Records that came in between are no longer kept. */
  | { readonly kind: "gap"; readonly partition: number; readonly missed: number }
  /** The journal ends before what was seen: Redis was restored, or lost its last writes. It is followed from its end on. */
  | { readonly kind: "wentBack"; readonly partition: number; readonly from: number; readonly to: number };

export interface News {
  /** Each with the position to come back with after it. Of one session in order; of several about so. */
  readonly news: readonly (Followed & { readonly id: string })[];
  /** There is more to read at once. */
  readonly more: boolean;
}

type Source = Pick<OpenDeployment, "store" | "rules" | "catalogues">;

/** Something of a partition, and the last record that is seen with it. */
interface Found {
  readonly partition: number;
  readonly seq: number;
  /** By which partitions are put in order: never less than that of the one before it in the same partition. */
  readonly at: number;
  readonly followed: Followed;
}

export class TransitionFollower {
  private readonly policies: PoliciesOfRules;
  private readonly standings: readonly Standings[];
  private position: StreamPosition;

  private constructor(
    private readonly source: Source,
    private readonly tenant: string,
    private readonly filter: TransitionFilter,
    position: StreamPosition,
  ) {
    this.position = position;
    this.policies = new PoliciesOfRules(source);
    this.standings = position.map((_, partition) => new Standings(source.store, partition));
  }

  /**
   * @param position default: what comes from now on
   * @throws StoreUnavailableError
   */
  static async begin(
    source: Source,
    tenant: string,
    filter: TransitionFilter,
    position?: StreamPosition,
  ): Promise<TransitionFollower> {
    const begun = position ?? (await surveyAll(source)).map(({ seq }) => seq);
    return new TransitionFollower(source, tenant, filter, begun);
  }

  /** The position after everything that was told, and looked at and left out. */
  get id(): string {
    return writePosition(this.position);
  }

  /**
   * What came since the last call; on an error, the next call tells all of it.
   * @throws StoreUnavailableError
   */
  async news(): Promise<News> {
    try {
      return await this.readNews();
    } catch (error) {
      // What was learnt from records that are told again must not be known before them.
      for (const standings of this.standings) standings.forget();
      throw error;
    }
  }

  private async readNews(): Promise<News> {
    const read = await Promise.all((await surveyAll(this.source)).map(async (survey) => this.readOn(survey)));
    const found = read.flatMap(({ followed }) => followed).sort((one, other) => one.at - other.at);
    const position = [...this.position];
    const news = found.map(({ partition, seq, followed }) => {
      position[partition] = seq;
      return { ...followed, id: writePosition(position) };
    });
    this.position = read.map(({ upTo }) => upTo);
    return { news, more: read.some(({ more }) => more) };
  }

  private async readOn({ partition, seq: last }: PartitionSurvey): Promise<{
    readonly followed: readonly Found[];
    readonly upTo: number;
    readonly more: boolean;
  }> {
    const seen = this.position[partition] ?? 0;
    if (last === seen) return { followed: [], upTo: seen, more: false };
    if (last < seen) {
      const followed: Followed = { kind: "wentBack", partition, from: seen, to: last };
      return { followed: [{ partition, seq: last, at: 0, followed }], upTo: last, more: false };
    }
    const entries = await this.entriesAfter(partition, seen, last);
    const upTo = entries.at(-1)?.seq ?? last;
    const missed = (entries[0]?.seq ?? last + 1) - seen - 1;
    const records = entries.flatMap((entry) => (isTombstone(entry) ? [] : [JSON.parse(entry.body) as JournalRecord]));
    let at = records[0]?.at ?? 0;
    const gap: Found = { partition, seq: seen + missed, at, followed: { kind: "gap", partition, missed } };
    const standings = this.standings[partition] as Standings;
    if (missed > 0 || records.length < entries.length) standings.forget();
    const learnt = records.map((record) => [record, standings.learn(record)] as const);
    const transitions = await Promise.all(
      learnt.map(async ([record, known]) =>
        this.transitionOf(partition, record, async () => standings.after(record, known)),
      ),
    );
    const followed = records.flatMap((record, n): Found[] => {
      at = Math.max(at, record.at);
      const transition = transitions[n];
      if (transition === undefined) return [];
      return [{ partition, seq: record.seq, at, followed: { kind: "transition", transition } }];
    });
    return { followed: missed > 0 ? [gap, ...followed] : followed, upTo, more: upTo < last };
  }

  /** The oldest that are kept of those after `seen`. */
  private async entriesAfter(partition: number, seen: number, last: number): Promise<readonly JournalEntry[]> {
    const { store } = this.source;
    const read = async (first: number): Promise<readonly JournalEntry[]> => {
      const length = Math.max(0, Math.min(PAGE, last - first + 1));
      const entries = await store.records(
        partition,
        Array.from({ length }, (_, n) => first + n),
      );
      return entries.filter((entry) => entry !== null);
    };
    const entries = await read(seen + 1);
    if (entries.length > 0) return entries;
    const oldest = await store.oldestRecord(partition);
    return oldest === null ? [] : read(Math.max(oldest, seen + 1));
  }

  private async transitionOf(
    partition: number,
    record: JournalRecord,
    standingAfter: () => Promise<Standing>,
  ): Promise<Transition | undefined> {
    const { tenant, filter } = this;
    const { cause, policy } = filter;
    if (!matchesRecord(record, tenant, filter)) return undefined;
    const standing = isCaused(record) ? await standingAfter() : {};
    if (cause !== undefined && cause !== standing.cause && cause !== standing.signOutReason) return undefined;
    if (policy !== undefined && !(await this.isUnder(policy, partition, record))) return undefined;
    return toTransition(record, standing);
  }

  private async isUnder(policy: string, partition: number, record: JournalRecord): Promise<boolean> {
    const policies = await this.policies.of(partition, sessionIdParts(record.session).tenant, record);
    return policies.some(({ id, name }) => id === policy.toLowerCase() || name === policy);
  }
}

async function surveyAll({ store }: Pick<Source, "store">): Promise<readonly PartitionSurvey[]> {
  return store.survey(Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition));
}
