/**
 * The processes of a run, with the product's own code in them: three workers that drain, walk, sweep and hand effects over, two APIs that
 * take events in, publish and decide. What reaches the server goes through the network. Only BullMQ is played here: its hints reach some
 * worker, none, or two.
 */
import type { Decision } from "../../machines/decision.js";
import type { RulesOf } from "../../machines/fold-batch.js";
import type { UserRecord } from "../../machines/users/user-record.js";
import type { CatalogueDocument } from "../../src/control/catalogue-document.js";
import { CatalogueMissingError, CatalogueOutdatedError } from "../../src/control/catalogue-errors.js";
import type { CatalogueSource } from "../../src/control/catalogue-source.js";
import { resumeAnnouncements } from "../../src/control/announce.js";
import { type PublishTarget, publish } from "../../src/control/publish.js";
import type { Unannounced } from "../../src/control/redis-catalogues.js";
import { RulesSource } from "../../src/control/rules-source.js";
import { decideAccess } from "../../src/decide/decide.js";
import type { EffectSink } from "../../src/effects/effect-sink.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { type IngestReport, ingest } from "../../src/ingest/ingest.js";
import type { Logger } from "../../src/log.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import type { EffectMessage } from "../../src/store/partition-view.js";
import { partitionOf } from "../../src/store/session-key.js";
import { FanOutSweep } from "../../src/users/fan-out.js";
import type { UserStore } from "../../src/users/user-store.js";
import { Drainer } from "../../workers/drain.js";
import { deliver } from "../../workers/effects.js";
import { Sweep } from "../../workers/sweep.js";
import { Walker } from "../../workers/walk.js";
import { WalkSteps } from "../../workers/walk-step.js";
import type { Known } from "./model.js";
import { type Network, Process } from "./network.js";
import { APIS, type CallName, WORKERS } from "./script.js";
import { PREFIX, type Server } from "./server.js";
import type { VirtualTime } from "./virtual-time.js";
import type { Broken } from "./violations.js";
import { APP, CATALOGUES, CONTENTS, TENANT, type Who, rulesBy } from "./world.js";

const SWEEP_MS = 1_000;

/** How often BullMQ tries a job that hands effects over, and the pause before the next time, ms. */
const HAND_OVER_TRIES = 8;
const HAND_OVER_PAUSE_MS = 1_000;

/** What stands between the network and the server: nothing, or a planted bug. */
export interface Bug {
  /** The server itself is at fault: every process sees it. */
  readonly store?: (store: PartitionStore, fleet: Fleet) => PartitionStore;
  /** A process is at fault: each life of one begins anew. */
  readonly process?: (store: PartitionStore, fleet: Fleet) => PartitionStore;
  readonly withoutSweep?: boolean;
}

export interface FleetOptions {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly server: Server;
  readonly bug: Bug;
  readonly broken: Broken;
}

/** What was there to be known when a decision's two looks were made. */
export interface Truth {
  known?: Known;
  record?: UserRecord | undefined;
  recordWasRead?: boolean;
}

/** Told of every call at the moment when the server carries it out. */
type OnExecuted = (call: string, answer: unknown) => Promise<void>;

/** Published versions, and which of them some partition may not have been told of. */
export class Catalogues implements CatalogueSource {
  /** Numbers of contents, by version. */
  readonly contents: number[] = [];
  readonly #unannounced = new Map<number, Unannounced>();

  async current(): Promise<number> {
    return this.contents.length;
  }

  async catalogue(tenant: string, version: number) {
    const content = this.contents[version - 1];
    if (content === undefined) throw new CatalogueMissingError(tenant, version);
    return { ...(CATALOGUES[content] as (typeof CATALOGUES)[number]), version };
  }

  async publish(_tenant: string, { version, note }: CatalogueDocument): Promise<void> {
    if (version !== this.contents.length + 1) throw new CatalogueOutdatedError(version - 1, this.contents.length);
    this.contents.push(Number(note));
  }

  async noteUnannounced(version: Unannounced): Promise<void> {
    this.#unannounced.set(version.version, version);
  }

  async unannounced(): Promise<Unannounced[]> {
    return [...this.#unannounced.values()];
  }

  async noteAnnounced({ version }: Pick<Unannounced, "version">): Promise<void> {
    this.#unannounced.delete(version);
  }
}

/** Calls of the store that change something. */
const WRITES: ReadonlySet<string> = new Set([
  "ingest",
  "commit",
  "acknowledge",
  "change",
  "join",
  "toldAll",
  "publish",
]);

export class Fleet {
  readonly catalogues = new Catalogues();
  readonly workers: readonly Process[];
  readonly apis: readonly [Process, ...Process[]];
  /** Effects that receivers took, by the id that they know: their texts. */
  readonly delivered = new Map<string, string>();
  hints: "pass" | "lost" | "doubled" = "pass";
  receiverIsUp = true;
  #isOver = false;
  readonly #store: PartitionStore;
  readonly #handOver = new Map<Process, (partition: number, ids: readonly string[]) => Promise<void>>();
  readonly #apiRules = new Map<Process, RulesSource>();
  readonly #drain = new Map<Process, (partition: number) => Promise<void>>();

  constructor(readonly options: FleetOptions) {
    const { time, server, bug } = options;
    this.#store = bug.store?.(server.store, this) ?? server.store;
    this.workers = WORKERS.map((name) => new Process(name, time, (process) => this.#startWorker(process)));
    const [first, ...others] = APIS.map(
      (name) => new Process(name, time, (process) => this.#apiRules.set(process, this.#rules())),
    );
    this.apis = [first as Process, ...others];
  }

  get processes(): readonly Process[] {
    return [...this.workers, ...this.apis];
  }

  start(): void {
    for (const process of this.processes) process.begin();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Takes events in, in a process of the API. Settles unless that dies. */
  emit(api: Process, events: readonly object[]): Promise<IngestReport> {
    const target = { ...this.#stores(api), wake: this.#wake };
    return ingest(target, TENANT, events);
  }

  ask(api: Process, { device, user, id }: Who, truth: Truth, onDoubt: (error: unknown) => void): Promise<Decision> {
    const { server } = this.options;
    const partition = partitionOf(TENANT, device, server.deployment.partitionCount);
    const { store, users } = this.#stores(api, async (call, answer) => {
      if (call === "peek") truth.known = await server.known(partition, id);
      else if (call === "read") {
        truth.record = answer as UserRecord | undefined;
        truth.recordWasRead = true;
      }
    });
    const rules = this.#apiRules.get(api) ?? this.#rules();
    return decideAccess({ store, users, rules }, { tenant: TENANT, device, user, app: APP }, onDoubt);
  }

  publish(api: Process, content: number): Promise<number> {
    const target: PublishTarget = { ...this.#stores(api), catalogues: this.#cataloguesOf(api), wake: this.#wake };
    return publish(target, TENANT, CONTENTS[content] as (typeof CONTENTS)[number], { note: String(content) });
  }

  /** Effects that somebody took. */
  take(effects: readonly EffectMessage[]): void {
    for (const { id, ...effect } of effects) {
      const text = JSON.stringify(effect);
      const before = this.delivered.get(id);
      if (before !== undefined && before !== text)
        this.options.broken("P5", `effect ${id} was delivered as something else before`);
      this.delivered.set(id, text);
    }
  }

  #startWorker(process: Process): void {
    const { time, bug } = this.options;
    const { store, users } = this.#stores(process);
    const rules = this.#rules();
    const log = this.#log(process);
    const onEffects = (partition: number, ids: readonly string[]): void => this.#offer(partition, ids);
    const drainer: Drainer = new Drainer({
      store,
      rules,
      log,
      onEffects,
      onPublished: (partition) => void walker.walk(partition),
    });
    const walker = new Walker({ store, stepper: new WalkSteps(store, rules), drainer, log, onEffects });
    const fanOuts = new FanOutSweep({ store, users, wake: this.#wake }, this.#unexpected(process));
    const sweep = new Sweep({
      store,
      drainer,
      walker,
      effects: { handOver: async (partition, ids) => this.#offer(partition, ids) },
      chores: [
        async () => fanOuts.tend(),
        async () => resumeAnnouncements({ store, catalogues: this.#cataloguesOf(process), wake: this.#wake }),
      ],
      log,
    });
    const { sink, handOver } = this.#receivers(process);
    this.#drain.set(process, async (partition) => {
      if ((await drainer.drain(partition)) === "more") this.#wake(partition);
    });
    this.#handOver.set(process, async (partition, ids) => {
      for (let tries = 1; ; tries++) {
        try {
          return await deliver({ store, prefix: PREFIX, sink, handOver, log }, { partition, ids });
        } catch (error) {
          this.#unexpected(process)(error);
          if (tries === HAND_OVER_TRIES) return;
          await process.sleep(HAND_OVER_PAUSE_MS);
        }
      }
    });
    const { life } = process;
    const looking = async (): Promise<void> => {
      while (!this.#isOver && process.life === life) {
        try {
          await sweep.look();
        } catch (error) {
          this.#unexpected(process)(error);
        }
        await process.sleep(SWEEP_MS);
      }
    };
    if (bug.withoutSweep !== true)
      time.after(this.options.network.latency() * 100, () => process.do(life, () => void looking()));
  }

  /** A hint that a partition has something to drain. */
  readonly #wake = (partition: number): void => {
    this.#hint((worker) => this.#drain.get(worker)?.(partition));
  };

  #offer(partition: number, ids: readonly string[]): void {
    if (ids.length > 0) this.#hint((worker) => this.#handOver.get(worker)?.(partition, ids));
  }

  #hint(work: (worker: Process) => Promise<void> | undefined): void {
    const { time, network } = this.options;
    if (this.hints === "lost") return;
    for (let copies = this.hints === "doubled" ? 2 : 1; copies > 0; copies--) {
      time.after(network.latency(), () => {
        const up = this.workers.filter(({ isUp }) => isUp);
        const worker = up[up.length > 1 ? network.choose(up.length) : 0];
        worker?.do(worker.life, () => void work(worker));
      });
    }
  }

  #receivers(process: Process): {
    readonly sink: EffectSink;
    readonly handOver: (effects: readonly EffectMessage[]) => Promise<void>;
  } {
    const { network } = this.options;
    const taking =
      (call: CallName, take: (effects: readonly EffectMessage[]) => void) => (effects: readonly EffectMessage[]) =>
        network.call(process, call, true, async () => {
          if (!this.receiverIsUp && network.isFaulty)
            throw new StoreUnavailableError("the receiver is down", { outcomeUnknown: true });
          take(effects);
        });
    return {
      handOver: taking("handOver", () => {}),
      sink: { deliver: taking("deliver", (effects) => this.take(effects)), close: async () => {} },
    };
  }

  /** What a process sees of the server. */
  #stores(
    process: Process,
    onExecuted: OnExecuted = async () => {},
  ): { readonly store: PartitionStore; readonly users: UserStore } {
    const { server, bug } = this.options;
    const remote = this.#remote(process, this.#store, onExecuted);
    return { store: bug.process?.(remote, this) ?? remote, users: this.#remote(process, server.users, onExecuted) };
  }

  #cataloguesOf(process: Process): Catalogues {
    return this.#remote(
      process,
      this.catalogues,
      async () => {},
      (name) => (name.startsWith("note") ? "note" : name),
    );
  }

  #remote<Target extends object>(
    process: Process,
    target: Target,
    onExecuted: OnExecuted,
    callOf: (name: string) => string = (name) => name,
  ): Target {
    const { network } = this.options;
    return new Proxy(target, {
      get: (_, name: string) => {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== "function") return value;
        const call = callOf(name);
        return (...args: unknown[]) =>
          network.call(
            process,
            call as CallName,
            WRITES.has(call) || call === "note",
            async () => {
              const answer = await (value as (...args: unknown[]) => Promise<unknown>).apply(target, args);
              await onExecuted(call, answer);
              return answer;
            },
            args[0],
            (answer) => traced(call, args, answer),
          );
      },
    });
  }

  /** A process knows the versions that it fetched; what rules they give is worked out once for all runs. */
  #rules(): RulesSource {
    const source = new RulesSource(this.catalogues);
    const rulesOf: RulesOf = (tenant, version, session) => {
      // Throws unless the version was fetched, as the source's own rules do.
      source.texts(tenant, version, undefined);
      return rulesBy(this.catalogues.contents[version - 1], session);
    };
    return Object.defineProperty(source, "rulesOf", { value: rulesOf });
  }

  #log(process: Process): Logger {
    const hear = ({ err }: { readonly err?: unknown }): void => this.#unexpected(process)(err);
    return { error: hear, warn: hear, info: () => {} } as unknown as Logger;
  }

  /** Of errors only those are expected that say that the server was not reached. */
  #unexpected(process: Process): (error: unknown) => void {
    return (error) => {
      if (error instanceof StoreUnavailableError || error instanceof CatalogueOutdatedError) return;
      this.options.broken(
        "P3",
        `${process.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    };
  }
}

/** What the trace says of an answer: enough to follow a run, and to tell two runs apart. */
function traced(call: string, [partition, argument]: readonly unknown[], answer: unknown): string {
  switch (call) {
    case "ingest": {
      const { results } = answer as { readonly results: readonly { readonly status: string; readonly id?: string }[] };
      return `p${String(partition)} ${results.map(({ status, id }) => id ?? status).join(" ")}`;
    }
    case "load": {
      const { entries, due, seq, horizon } = answer as {
        entries: readonly { id: string }[];
        due: readonly string[];
        seq: number;
        horizon: number;
      };
      return `p${String(partition)} after record ${seq}: ${entries.map(({ id }) => id).join(" ")}; ${due.length} due; up to ${horizon}`;
    }
    case "commit": {
      const { records, last } = argument as {
        records: readonly { seq: number; hash: string }[];
        last: { id: string } | null;
      };
      return `p${String(partition)} ${(answer as { status: string }).status}: ${records.length} records to ${records.at(-1)?.seq ?? ""} ${records.at(-1)?.hash.slice(0, 8) ?? ""}, cursor ${last?.id ?? "stays"}`;
    }
    case "chunk":
    case "peek":
    case "acknowledge":
    case "effects":
    case "outbox":
      return `p${String(partition)}`;
    default:
      return "";
  }
}
