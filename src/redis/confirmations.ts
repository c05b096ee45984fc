/**
 * Class D2: what a primary was told, or tells, counts once a replica has it, too. WAIT says so of everything that its connection was
 * answered before, and holds up what comes behind it; so this is done on a connection of its own, and what comes in while one WAIT is
 * under way shares the next.
 */
import { Cluster, Command, type Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { StoreUnavailableError } from "../errors.js";

/** How long replicas are waited for. */
const WAIT_MS = 1_000;
/** As for any call of the store. */
const CALL_MS = 2_000;
const PAUSE_MS = 50;

type Send<Reply> = (node: Redis) => Promise<Reply>;

interface Item {
  readonly send: Send<unknown>;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Nothing has been carried out: another node has the slot, or it is on its way there. */
const ELSEWHERE = /^(MOVED|ASK|TRYAGAIN) /;

export class Confirmations {
  readonly #lanes = new WeakMap<Redis, Lane>();

  /** @param redis used for nothing else */
  constructor(private readonly redis: Redis | Cluster) {}

  /**
   * Sends to whoever has the key; resolves with the answer when a replica has all that it tells of.
   * @throws StoreUnavailableError where no replica confirmed in time, and whatever the server says
   */
  async run<Reply>(key: string, send: Send<Reply>): Promise<Reply> {
    const givesUpAt = performance.now() + CALL_MS;
    for (;;) {
      try {
        return await this.#laneOf(this.#nodeOf(key)).run(send, givesUpAt);
      } catch (error) {
        if (!(error instanceof Error && ELSEWHERE.test(error.message)) || performance.now() + PAUSE_MS > givesUpAt)
          throw error;
        // The cluster's client follows where it leads, and remembers.
        await this.redis.exists(key).catch(() => undefined);
        if (!error.message.startsWith("MOVED")) await delay(PAUSE_MS);
      }
    }
  }

  close(): void {
    this.redis.disconnect();
  }

  #nodeOf(key: string): Redis {
    if (!(this.redis instanceof Cluster)) return this.redis;
    const [owner] = this.redis.slots[new Command("exists", [key]).getSlot()] ?? [];
    const primaries = this.redis.nodes("master");
    const node = primaries.find(({ options }) => `${options.host}:${options.port}` === owner) ?? primaries[0];
    // One that is not ready would take it now and send it later.
    if (node?.status !== "ready")
      throw new StoreUnavailableError("the primary can't be reached", { outcomeUnknown: false });
    return node;
  }

  #laneOf(node: Redis): Lane {
    let lane = this.#lanes.get(node);
    if (lane === undefined) this.#lanes.set(node, (lane = new Lane(node)));
    return lane;
  }
}

/** One node's connection: what is sent together is confirmed by one WAIT. */
class Lane {
  private waiting: Item[] = [];
  private isBusy = false;

  constructor(private readonly node: Redis) {}

  async run<Reply>(send: Send<Reply>, givesUpAt: number): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const late = setTimeout(() => {
        const wasSent = !this.waiting.includes(item);
        this.waiting = this.waiting.filter((other) => other !== item);
        reject(new StoreUnavailableError("no answer in time", { outcomeUnknown: wasSent }));
      }, givesUpAt - performance.now());
      const item: Item = {
        send,
        resolve: (reply) => {
          clearTimeout(late);
          resolve(reply as Reply);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      };
      this.waiting.push(item);
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    // What is asked for in the same moment goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const items = this.waiting;
      this.waiting = [];
      // Written in one go, so that WAIT stands behind all of them on the same connection.
      const replies = items.map(async ({ send }) => send(this.node));
      const replicas = this.node.wait(1, WAIT_MS);
      await Promise.all(items.map(async (item, n) => settle(item, replies[n] as Promise<unknown>, replicas)));
    }
    this.isBusy = false;
  }
}

async function settle({ resolve, reject }: Item, reply: Promise<unknown>, replicas: Promise<number>): Promise<void> {
  try {
    const [answer, confirmed] = await Promise.all([reply, replicas]);
    if (confirmed >= 1) resolve(answer);
    else
      reject(
        new StoreUnavailableError(`no replica confirmed it within ${WAIT_MS} ms`, {
          outcomeUnknown: true,
          fix: "See whether the primary's replica runs and keeps up. Sending the same events again is safe.",
        }),
      );
  } catch (error) {
    reject(error);
    // The others of the group share it: it must have ended before the next group begins.
    await replicas.catch(() => undefined);
  }
}
