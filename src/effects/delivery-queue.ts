/**
 * What is on its way to one receiver, in Redis: a webhook endpoint's deliveries, or the remediators'. What must be atomic is a Lua
 * script; times are the server's, so workers need not agree about the clock.
 */
import type { RedisConnection } from "../redis/connection.js";
import { type DeliveryKeys, deliveryKeys } from "../store/keys.js";
import type { EffectMessage } from "../store/partition-view.js";
import { Script } from "../store/redis/script.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { type Delivery, newDelivery, redriven } from "./delivery.js";

const ADD = new Script("delivery-add", { isConfirmed: true });
const TAKE = new Script("delivery-take");
const SETTLE = new Script("delivery-settle");
const REDRIVE = new Script("delivery-redrive");

/** Deliveries in one call of a script. */
const PER_CALL = 200;
/** The newest deliveries that arrived, and that were given up, of which a receiver's queue tells. */
export const DELIVERED_KEPT = 10_000;
const SPENT_KEPT = 100_000;
/** How long the deliveries of a receiver that was removed can still be looked at. */
const CLOSED_KEPT_MS = 30 * 24 * 3_600_000;

/** When a receiver that fails is left in peace. */
export interface Breaker {
  /** Failures in a row from which on it is open. */
  readonly openAfter: number;
  /** Between two tries while it is open, ms: the first pause, and the one to which it grows, 2 % a try. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

export interface TakeRequest {
  /** Names the taker: fresh and random for each process. */
  readonly token: string;
  /** How long other processes keep away, ms. */
  readonly leaseMs: number;
  /** How long a delivery that was taken is left to the taker, ms. */
  readonly visibleAfterMs: number;
  readonly count: number;
  /** Nothing is under way in this process. */
  readonly isIdle: boolean;
  readonly breaker: Breaker;
}

export interface TakenDelivery {
  readonly id: string;
  readonly delivery: Delivery;
}

export type Taken =
  | { readonly status: "closed" | "busy" }
  /** `forMs` is `null` until something is added. */
  | { readonly status: "rest"; readonly forMs: number | null }
  | { readonly status: "taken"; readonly failures: number; readonly deliveries: readonly TakenDelivery[] };

export interface Settlement {
  readonly id: string;
  /** Attempts that had been made when it was taken. */
  readonly attemptsBefore: number;
  /** `retry`: a failure; `later`: to be tried again, though the receiver did nothing wrong. */
  readonly outcome: "delivered" | "retry" | "spent" | "later";
  readonly delivery: Delivery;
  /** Until the next attempt, ms. */
  readonly againInMs: number;
}

export interface SettleRequest {
  readonly token: string;
  /** 0: the taker is done. */
  readonly leaseMs: number;
  readonly breaker: Breaker;
  /** Nothing at all is tried before so many ms are over; 0: no such wish. */
  readonly pauseMs: number;
  readonly settlements: readonly Settlement[];
}

export interface Settled {
  /** In a row. */
  readonly failures: number;
  /** Since the first of them. */
  readonly failingForMs: number;
}

export interface QueueFigures {
  readonly waiting: number;
  /** Kept ones. */
  readonly spent: number;
  /** Ever. */
  readonly delivered: number;
  readonly spentEver: number;
  /** Spent ones that are no longer kept, because there were too many. */
  readonly forgotten: number;
  /** In a row, and since when, epoch ms. */
  readonly failures: number;
  readonly failingSince: number | null;
  /** When the next attempt is due at the earliest, epoch ms; `null`: nothing waits. */
  readonly nextAttempt: number | null;
}

/** Those in which deliveries are listed. */
export type DeliverySet = "waiting" | "delivered" | "spent";

export interface ListedDelivery extends TakenDelivery {
  /** When the next attempt is due, it arrived, or it was given up, epoch ms. */
  readonly at: number;
}

const OUTCOMES = { delivered: "d", retry: "r", spent: "s", later: "h" } as const;
const SETS = { waiting: "due", delivered: "delivered", spent: "spent" } as const;

/** Every method may reject with `StoreUnavailableError`. */
export class DeliveryQueue {
  readonly #keys: DeliveryKeys;

  constructor(
    private readonly redis: RedisConnection,
    prefix: string,
    readonly name: string,
  ) {
    this.#keys = deliveryKeys(prefix, name);
  }

  /**
   * Those that are known already stay as they are.
   * @param why they are spent from the beginning; `undefined`: they are due at once
   * @returns how many are new; `undefined`: the receiver was removed
   */
  async add(effects: readonly EffectMessage[], why?: string): Promise<number | undefined> {
    const { meta, due, deliveries, spent } = this.#keys;
    let added = 0;
    for (let from = 0; from < effects.length; from += PER_CALL) {
      const argv: (string | number)[] = [why === undefined ? "due" : "spent", SPENT_KEPT];
      for (const effect of effects.slice(from, from + PER_CALL))
        argv.push(effect.id, encode(newDelivery(effect, Date.now(), why)));
      const reply = (await this.#run("add", ADD, [meta, due, deliveries, spent], argv)) as number;
      if (reply < 0) return undefined;
      added += reply;
    }
    return added;
  }

  async take({ token, leaseMs, visibleAfterMs, count, isIdle, breaker }: TakeRequest): Promise<Taken> {
    const { meta, due, deliveries } = this.#keys;
    const { openAfter, pauseMs, longestPauseMs } = breaker;
    const argv = [token, leaseMs, count, visibleAfterMs, openAfter, pauseMs, longestPauseMs, isIdle ? 1 : 0];
    const reply = (await this.#run("take", TAKE, [meta, due, deliveries], argv)) as [number, number, ...string[]];
    const [status, figure, ...pairs] = reply;
    if (status < 1) return { status: status === 0 ? "busy" : "closed" };
    if (status === 1) return { status: "rest", forMs: figure < 0 ? null : figure };
    const taken: TakenDelivery[] = [];
    for (let at = 0; at < pairs.length; at += 2)
      taken.push({ id: pairs[at] as string, delivery: decode(pairs[at + 1] as string) });
    return { status: "taken", failures: figure, deliveries: taken };
  }

  async settle({ token, leaseMs, breaker, pauseMs, settlements }: SettleRequest): Promise<Settled> {
    const { meta, due, deliveries, spent, delivered } = this.#keys;
    const argv: (string | number)[] = [token, leaseMs, breaker.openAfter, DELIVERED_KEPT, SPENT_KEPT, pauseMs];
    for (const { id, attemptsBefore, outcome, delivery, againInMs } of settlements)
      argv.push(id, attemptsBefore, OUTCOMES[outcome], encode(delivery), Math.round(againInMs));
    const reply = await this.#run("settle", SETTLE, [meta, due, deliveries, spent, delivered], argv);
    const [failures, failingForMs] = reply as [number, number];
    return { failures, failingForMs };
  }

  /** How many deliveries are in each set. */
  async sizes(): Promise<Readonly<Record<DeliverySet, number>>> {
    const { due, spent, delivered } = this.#keys;
    const sets = [this.redis.zcard(due), this.redis.zcard(spent), this.redis.zcard(delivered)];
    const [waiting = 0, given = 0, arrived = 0] = await this.#answer("sizes", false, Promise.all(sets));
    return { waiting, spent: given, delivered: arrived };
  }

  /** Deliveries in the order in which they are due or ended; the newest first where `newestFirst`. */
  async list(set: DeliverySet, from: number, count: number, newestFirst = false): Promise<ListedDelivery[]> {
    const key = this.#keys[SETS[set]];
    const range = newestFirst
      ? this.redis.zrevrange(key, String(from), String(from + count - 1), "WITHSCORES")
      : this.redis.zrange(key, String(from), String(from + count - 1), "WITHSCORES");
    const pairs = await this.#answer("list", false, range);
    const ids = pairs.filter((_, n) => n % 2 === 0);
    if (ids.length === 0) return [];
    const values = await this.#answer("list", false, this.redis.hmget(this.#keys.deliveries, ...ids));
    return ids.flatMap((id, n) => {
      const value = values[n];
      return typeof value === "string" ? [{ id, delivery: decode(value), at: Number(pairs[2 * n + 1]) }] : [];
    });
  }

  async get(id: string): Promise<(ListedDelivery & { readonly set: DeliverySet }) | undefined> {
    const { due, delivered, spent, deliveries } = this.#keys;
    const [value, waitingAt, deliveredAt, spentAt] = await this.#answer(
      "get",
      false,
      Promise.all([
        this.redis.hget(deliveries, id),
        this.redis.zscore(due, id),
        this.redis.zscore(delivered, id),
        this.redis.zscore(spent, id),
      ]),
    );
    if (value === null) return undefined;
    const set = deliveredAt !== null ? "delivered" : spentAt !== null ? "spent" : "waiting";
    return { id, delivery: decode(value), set, at: Number(deliveredAt ?? spentAt ?? waitingAt ?? 0) };
  }

  async figures(): Promise<QueueFigures> {
    const { meta, due, spent } = this.#keys;
    const [waiting, kept, first, stored] = await this.#answer(
      "figures",
      false,
      Promise.all([
        this.redis.zcard(due),
        this.redis.zcard(spent),
        this.redis.zrange(due, "0", "0", "WITHSCORES"),
        this.redis.hgetall(meta),
      ]),
    );
    const number = (name: string): number => Number(stored[name] ?? 0);
    const failingSince = stored["failingSince"];
    return {
      waiting,
      spent: kept,
      delivered: number("delivered"),
      spentEver: number("spent"),
      forgotten: number("forgotten"),
      failures: number("failures"),
      failingSince: failingSince === undefined ? null : Number(failingSince),
      nextAttempt: first[1] === undefined ? null : Math.max(Number(first[1]), number("nextTry")),
    };
  }

  /**
   * Makes spent deliveries due again, with their schedule from the beginning.
   * @returns how many were: one that somebody else redrove meanwhile is left alone
   */
  async redrive(chosen: readonly TakenDelivery[]): Promise<number> {
    const { meta, due, deliveries, spent } = this.#keys;
    let count = 0;
    for (let from = 0; from < chosen.length; from += PER_CALL) {
      const argv = chosen
        .slice(from, from + PER_CALL)
        .flatMap(({ id, delivery }) => [id, encode(delivery), encode(redriven(delivery))]);
      const reply = (await this.#run("redrive", REDRIVE, [meta, due, deliveries, spent], argv)) as number;
      if (reply < 0) return count;
      count += reply;
    }
    return count;
  }

  /** The next attempts are due at once, and the failures so far forgotten: for a receiver that somebody says is well again. */
  async hasten(): Promise<void> {
    const { meta } = this.#keys;
    await this.#answer("hasten", true, this.redis.hdel(meta, "failures", "failingSince", "nextTry"));
    await this.#answer("hasten", true, this.redis.hset(meta, "hasten", 1));
  }

  /** Nothing is added or tried any more. What is there can be looked at for 30 days. */
  async close(): Promise<void> {
    await this.#answer("close", true, this.redis.hset(this.#keys.meta, "closed", 1));
    await Promise.all(
      Object.values(this.#keys).map(async (key: string) =>
        this.#answer("close", true, this.redis.pexpire(key, CLOSED_KEPT_MS)),
      ),
    );
  }

  async #run(call: string, script: Script, keys: readonly string[], argv: readonly (string | number)[]) {
    return this.#answer(call, true, script.run(this.redis, keys, argv));
  }

  async #answer<Reply>(call: string, write: boolean, reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply;
    } catch (error) {
      throw toUnavailable(error, `deliveries ${call}`, write);
    }
  }
}

/** The number in front is for the scripts, which do not read JSON. */
const encode = (delivery: Delivery): string => `${delivery.attemptsMade}|${JSON.stringify(delivery)}`;

const decode = (value: string): Delivery => JSON.parse(value.slice(value.indexOf("|") + 1)) as Delivery;
