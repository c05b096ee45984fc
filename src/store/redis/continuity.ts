/**
 * After a failover a partition may have another server, which may lack what the old one had accepted. Nobody else remembers it: so each
 * process holds the newest events that it was told are accepted against what the new server has, and notes in the partition if they are gone.
 */
import { Cluster, Command, type Redis } from "ioredis";
import { StoreUnavailableError } from "../../errors.js";
import { type RedisConnection, primariesOf } from "../../redis/connection.js";
import { Script } from "./script.js";

/** For every living process to hold what it remembers against a server that is new: they look each second. */
const SETTLING_MS = 2_500;
const LOOK_MS = 1_000;
/** How old what is remembered of a server may be. */
const LINEAGE_KEPT_MS = 1_000;
/** Events remembered of a partition: the newest, and older ones so far apart, which tell from when on something is missing. */
const MARKS = 16;
const MARKS_APART_MS = 500;
/** What is older was replicated long ago, or no replica would have been there to fail over to. */
const MARK_KEPT_MS = 10 * 60_000;

const CONTINUITY = new Script("continuity");

interface Mark {
  readonly fingerprint: string;
  /** When it was accepted, epoch ms by the partition's clock. */
  readonly time: number;
  /** By this process's own clock. */
  readonly at: number;
}

interface Watched {
  readonly keys: readonly [meta: string, ...seen: string[]];
  /** Of the server that was last found to have what is remembered. */
  lineage: string | undefined;
  /** The newest last. */
  marks: Mark[];
}

interface Known {
  readonly lineage: Promise<string>;
  readonly askedAt: number;
}

export class Continuity {
  readonly #watched = new Map<number, Watched>();
  readonly #servers = new WeakMap<Redis, Known>();
  readonly #heard = new WeakSet<Redis>();
  /** When each server's history was first met, by its name; those that were there at the beginning are settled. */
  readonly #lineages = new Map<string, number>();
  #begun: Promise<void> | undefined;

  /** @param rememberMs how long an event is found in the duplicate window, at least; 0: nothing can be held against it */
  constructor(
    private readonly redis: RedisConnection,
    private readonly rememberMs: number,
  ) {}

  /** Before something is appended: what is told of it belongs to the server that is there now, or to a later one. */
  async begin(partition: number, keys: Watched["keys"]): Promise<void> {
    await this.#begin();
    const watched = this.#of(partition, keys);
    watched.lineage ??= await this.#lineageFor(keys[0]);
  }

  /** The caller is about to be told that the event is accepted, or was before. */
  accepted(partition: number, keys: Watched["keys"], fingerprint: string, time: number): void {
    const { marks } = this.#of(partition, keys);
    const at = performance.now();
    const beforeLast = marks.at(-2);
    if (beforeLast !== undefined && at - beforeLast.at < MARKS_APART_MS) marks.pop();
    marks.push({ fingerprint, time, at });
    if (marks.length > MARKS) marks.shift();
  }

  /**
   * Before an answer of the partition's server is relied on.
   * @throws StoreUnavailableError while a server is so new that some process may not have looked yet
   */
  async settled(partition: number, keys: Watched["keys"]): Promise<void> {
    await this.#begin();
    const lineage = await this.#lineageFor(keys[0]);
    const watched = this.#of(partition, keys);
    const isThere = watched.lineage === lineage || (await this.#verify(watched, lineage));
    const since = this.#lineages.get(lineage) ?? performance.now();
    if (!isThere || performance.now() - since < SETTLING_MS)
      throw new StoreUnavailableError("the partition has another server: what was accepted is being looked for there", {
        outcomeUnknown: false,
      });
  }

  /** All servers that are there at first are settled: nothing was accepted here before them. */
  async #begin(): Promise<void> {
    this.#begun ??= (async () => {
      // One that does not answer has to settle when it does, or whoever takes over from it.
      const asked = await Promise.allSettled(primariesOf(this.redis).map(async (primary) => this.#lineageOf(primary)));
      for (const answer of asked) if (answer.status === "fulfilled") this.#lineages.set(answer.value, -Infinity);
      this.#look();
    })();
    await this.#begun;
  }

  /** Also what nobody asks for is looked at: others may be asked. */
  #look(): void {
    const timer = setInterval(() => {
      for (const watched of this.#watched.values()) {
        if (watched.marks.length === 0) continue;
        this.#lineageFor(watched.keys[0])
          .then(async (lineage) => {
            if (lineage !== watched.lineage) await this.#verify(watched, lineage);
          })
          // Looked at again in a second; until then its server is new.
          .catch(() => undefined);
      }
    }, LOOK_MS);
    timer.unref();
    this.redis.once("end", () => clearInterval(timer));
  }

  /** @returns whether the partition's server has all that is remembered; if not, that is noted there */
  async #verify(watched: Watched, lineage: string): Promise<boolean> {
    const youngest = performance.now() - Math.min(this.rememberMs, MARK_KEPT_MS);
    const marks = watched.marks.filter(({ at }) => at > youngest);
    const argv = marks.toReversed().flatMap(({ fingerprint, time }) => [fingerprint, time]);
    const isThere = marks.length === 0 || (await CONTINUITY.run(this.redis, watched.keys, argv)) === 1;
    // It is noted: from now on what is there counts.
    if (!isThere) watched.marks = [];
    watched.lineage = lineage;
    return isThere;
  }

  #of(partition: number, keys: Watched["keys"]): Watched {
    let watched = this.#watched.get(partition);
    if (watched === undefined) this.#watched.set(partition, (watched = { keys, lineage: undefined, marks: [] }));
    return watched;
  }

  async #lineageFor(key: string): Promise<string> {
    return this.#lineageOf(this.#serverOf(key));
  }

  /** The name of the server's history: another one for each server that begins one, by a promotion or a start. */
  async #lineageOf(server: Redis): Promise<string> {
    const now = performance.now();
    let known = this.#servers.get(server);
    if (known === undefined || now - known.askedAt > LINEAGE_KEPT_MS) {
      const lineage = readLineage(server);
      known = { lineage, askedAt: now };
      this.#servers.set(server, known);
      lineage.catch(() => this.#servers.delete(server));
      this.#forgetAfter(server);
    }
    const lineage = await known.lineage;
    if (!this.#lineages.has(lineage)) this.#lineages.set(lineage, now);
    return lineage;
  }

  /** A connection that is made anew may lead to another server. */
  #forgetAfter(server: Redis): void {
    if (this.#heard.has(server)) return;
    this.#heard.add(server);
    server.on("close", () => this.#servers.delete(server));
  }

  #serverOf(key: string): Redis {
    if (!(this.redis instanceof Cluster)) return this.redis;
    const [owner] = this.redis.slots[new Command("exists", [key]).getSlot()] ?? [];
    const server = this.redis.nodes("master").find(({ options }) => `${options.host}:${options.port}` === owner);
    if (server === undefined)
      throw new StoreUnavailableError("the primary can't be reached", { outcomeUnknown: false });
    return server;
  }
}

async function readLineage(server: Redis): Promise<string> {
  return /master_replid:(\w+)/.exec(await server.info("replication"))?.[1] ?? "";
}
