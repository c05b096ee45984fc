/**
 * The one server that all processes of a run share: the real stores in memory, a partition each. It knows what really happened, whatever
 * callers were told: every write in its order, so that it can fail over to an earlier moment; what was accepted, folded by the model;
 * and whose commit was let through.
 */
import { TIMER_EVENTS } from "../../machines/move.js";
import type { RulesOf } from "../../machines/fold-batch.js";
import type { SessionId } from "../../machines/session/session.js";
import { effectId } from "../../src/effects/effect-id.js";
import { MemoryPartitionStore } from "../../src/store/memory/memory-partition-store.js";
import type {
  Append,
  Appended,
  Commit,
  CommitResult,
  Deployment,
  InboxEntry,
  PartitionStore,
  PartitionSurvey,
} from "../../src/store/partition-store.js";
import { MemoryUserStore } from "../../src/users/memory-user-store.js";
import { type Known, Model } from "./model.js";
import type { Broken } from "./violations.js";
import { PARTITIONS } from "./world.js";

export const PREFIX = "simulation";

/** Epoch ms at which every run begins. */
export const START_MS = Date.parse("2026-03-02T08:00:00Z");

const DEADLINES: ReadonlySet<string> = new Set([...TIMER_EVENTS.values()].map(({ type }) => type));

/** A write that happened. */
type Write =
  | {
      readonly call: "ingest";
      readonly args: readonly [readonly Append[]];
      readonly now: number;
      readonly nonce: string;
      readonly accepted: number;
    }
  | { readonly call: "commit"; readonly args: readonly [Commit]; readonly now: number }
  | { readonly call: "acknowledge"; readonly args: readonly [readonly string[]]; readonly now: number };

class Partition {
  store: MemoryPartitionStore;
  readonly writes: Write[] = [];
  readonly model: Model;
  /** Behind the server's clock since a failover, ms. */
  backMs = 0;
  /** What the server's clock says, and the nonce that the next call gets, while an earlier moment is brought back. */
  replayed: { now: number; nonce: string } | undefined;
  /** The fence, kept apart from the store's own. */
  token: string;
  /** So many writes can't be lost. */
  safe = 0;
  /** The latest that anybody was told the partition's clock says, epoch ms. */
  clockTold = 0;
  readonly firstToken: string;

  constructor(
    readonly number: number,
    private readonly server: Server,
    rulesOf: RulesOf,
  ) {
    this.model = new Model(rulesOf);
    this.firstToken = server.nonce();
    this.store = this.open();
    this.token = this.firstToken;
  }

  get now(): number {
    return this.server.now() - this.backMs;
  }

  open(): MemoryPartitionStore {
    this.replayed = { now: this.now, nonce: this.firstToken };
    const store = new MemoryPartitionStore({
      deployment: this.server.deployment,
      now: () => this.replayed?.now ?? this.now,
      nonce: () => this.replayed?.nonce ?? this.server.latestNonce(),
    });
    // The partition is there from its first call on, and draws its first token then.
    void store.counters(this.number);
    this.replayed = undefined;
    return store;
  }
}

export class Server {
  readonly deployment: Deployment;
  readonly users: MemoryUserStore;
  readonly store: PartitionStore;
  /** Producers' ids of events that a failover took; of these nothing is promised. */
  readonly lostEvents = new Set<string>();
  /** Effects that were committed, by the id that receivers know: their texts; `null`: a failover took them. */
  readonly effects = new Map<string, string | null>();
  /** Events accepted, each time. */
  accepted = 0;
  /** When something was last accepted, ms of the run. */
  lastAcceptedAt = 0;
  readonly #partitions: readonly Partition[];
  #nonces = 0;

  /**
   * @param now the server's clock, epoch ms; it may go back
   * @param at ms of the run
   */
  constructor(
    readonly now: () => number,
    private readonly at: () => number,
    rulesOf: RulesOf,
    private readonly broken: Broken,
  ) {
    this.deployment = new MemoryPartitionStore({ deployment: { partitionCount: PARTITIONS } }).deployment;
    this.users = new MemoryUserStore({ deployment: this.deployment, now });
    this.#partitions = Array.from({ length: PARTITIONS }, (_, n) => new Partition(n, this, rulesOf));
    this.store = this.#asStore();
  }

  nonce(): string {
    this.#nonces++;
    return this.latestNonce();
  }

  latestNonce(): string {
    return `n${this.#nonces}`;
  }

  model(partition: number): Model {
    return this.#partition(partition).model;
  }

  /** What a decision on the session may know at this moment. */
  async known(partition: number, id: SessionId): Promise<Known> {
    return this.model(partition).known(id, (await this.#surveyOf(partition)).now);
  }

  /** The partition's last writes are gone, as if a replica that had not got them took over. @returns how many were there to lose */
  failOver(number: number, lost: number, backMs: number): number {
    const partition = this.#partition(number);
    const { writes, model } = partition;
    const gone = writes.splice(Math.max(partition.safe, writes.length - lost));
    const kept = writes.reduce((sum, write) => sum + (write.call === "ingest" ? write.accepted : 0), 0);
    for (const entry of model.takeBack(kept)) this.#takeBack(entry);
    for (const write of gone) {
      if (write.call !== "commit") continue;
      for (const { id, body } of write.args[0].effects) this.effects.set(effectId(PREFIX, number, id, body), null);
    }
    partition.store = partition.open();
    partition.token = partition.firstToken;
    for (const write of writes) {
      partition.replayed = { now: write.now, nonce: write.call === "ingest" ? write.nonce : "" };
      // What a store in memory does, it does before it answers.
      if (write.call === "ingest") void partition.store.ingest(number, ...write.args);
      else if (write.call === "commit") {
        void partition.store.commit(number, ...write.args);
        partition.token = write.args[0].nextToken;
      } else void partition.store.acknowledge(number, ...write.args);
    }
    partition.replayed = undefined;
    if (backMs > 0) partition.backMs = backMs;
    return gone.length;
  }

  /** What was written until now, every replica has. */
  replicate(): void {
    for (const partition of this.#partitions) partition.safe = partition.writes.length;
  }

  /** Clocks are right again. */
  setClocks(): void {
    for (const partition of this.#partitions) partition.backMs = 0;
  }

  #takeBack({ body, session }: InboxEntry): void {
    const { i: id } = JSON.parse(body) as { readonly i?: string };
    if (id !== undefined) this.lostEvents.add(`${id} ${session}`);
  }

  #partition(number: number): Partition {
    const partition = this.#partitions[number];
    if (partition === undefined) throw new RangeError(`no partition ${number}`);
    return partition;
  }

  async #surveyOf(partition: number): Promise<PartitionSurvey> {
    const [survey] = await this.#partition(partition).store.survey([partition]);
    return survey as PartitionSurvey;
  }

  #asStore(): PartitionStore {
    const own: Partial<PartitionStore> = {
      deployment: this.deployment,
      load: async (number, limits) => {
        const partition = this.#partition(number);
        const batch = await partition.store.load(number, limits);
        partition.clockTold = Math.max(partition.clockTold, batch.now);
        return batch;
      },
      ingest: async (number, appends) => this.#ingest(this.#partition(number), appends),
      commit: async (number, commit) => this.#commit(this.#partition(number), commit),
      acknowledge: async (number, ids) => {
        const partition = this.#partition(number);
        if ((await partition.store.effects(number, ids)).length === 0) return;
        partition.writes.push({ call: "acknowledge", args: [ids], now: partition.now });
        await partition.store.acknowledge(number, ids);
      },
      survey: async (numbers) => Promise.all(numbers.map((number) => this.#surveyOf(number))),
    };
    return new Proxy(own as PartitionStore, {
      get: (target, name: keyof PartitionStore) =>
        target[name] ??
        ((number: number, ...rest: unknown[]) =>
          (this.#partition(number).store[name] as (...args: unknown[]) => unknown)(number, ...rest)),
    });
  }

  async #ingest(partition: Partition, appends: readonly Append[]): Promise<Appended> {
    const { store, number, model, now } = partition;
    const nonce = this.nonce();
    const appending = store.ingest(number, appends);
    const appended = await appending;
    let accepted = 0;
    appended.results.forEach((result, n) => {
      if (result.status !== "accepted") return;
      const { session, body } = appends[n] as Append;
      model.accept({ id: result.id, session, body, nonce });
      accepted++;
    });
    if (accepted > 0) {
      partition.writes.push({ call: "ingest", args: [appends], now, nonce, accepted });
      this.accepted += accepted;
      this.lastAcceptedAt = this.at();
    }
    return appended;
  }

  async #commit(partition: Partition, commit: Commit): Promise<CommitResult> {
    const { store, number, now } = partition;
    const isOfWhatIsStored = commit.token === partition.token && this.#isOfEntry(partition, commit);
    const result = await store.commit(number, commit);
    if (result.status === "stale") return result;
    if (!isOfWhatIsStored)
      this.broken(
        "P4",
        `partition ${number}: a commit was let through that was folded from another state than the stored one`,
      );
    partition.token = commit.nextToken;
    partition.writes.push({ call: "commit", args: [commit], now });
    for (const { id, body } of commit.effects) this.effects.set(effectId(PREFIX, number, id, body), body);
    for (const { body } of commit.records) {
      // Deadlines come from nowhere; what came from outside need not be read.
      if (body.includes('"origin":')) continue;
      const { at, event } = JSON.parse(body) as { readonly at: number; readonly event: { readonly type: string } };
      if (DEADLINES.has(event.type) && at > partition.clockTold)
        this.broken("P8", `partition ${number}: ${event.type} passed ${at - partition.clockTold} ms early`);
    }
    return result;
  }

  #isOfEntry({ model }: Partition, { last }: Commit): boolean {
    return last === null || model.entries.findLast(({ id }) => id === last.id)?.nonce === last.nonce;
  }
}
