/**
 * The devices of a run. Each tells a few events and waits until they are accepted before it goes on, so the order in which they count is known;
 * and it asks for access in between, so every answer can be held against the oracle.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, type GatehouseClient, type GatehouseEvent } from "../../src/client/index.js";
import { EVENTS } from "../../machines/events/catalogue.js";
import { Random } from "../../src/demo/random.js";
import { type ChaosEvent, Oracle } from "./oracle.js";
import { dataOf, nextEvent } from "./world.js";

export const SOURCE = "app://chaos";
const USER = "adele";
/** Questions per event, at most one after each call. */
const ASKS = 0.15;
const BACK_OFF_MS = 100;

export interface Device {
  readonly id: string;
  oracle: Oracle;
  /** Ids of the events that were accepted, in their order. */
  readonly accepted: string[];
  /** A decision that let somebody in whom the events accepted by then keep out. */
  readonly wrongAnswers: string[];
  readonly refused: string[];
  asked: number;
  /** When its last event was accepted, by `performance.now()`. */
  heardAt: number;
}

/** What became of all that was told and asked. */
export interface Tally {
  /** Accepted. */
  events: number;
  allowed: number;
  /** Kept out, and the oracle would keep them out, too. */
  denied: number;
  /** Kept out although the oracle would let them in: doubt, which is no violation. */
  doubted: number;
}

/** The reason that a decision gives where there is no session. */
const NO_SESSION = "session.unknown";

export interface LoadOptions {
  readonly apiUrls: readonly string[];
  readonly key: string;
  readonly seed: number;
  readonly devices: number;
  /** Events that a device tells at once, at most; default 1. */
  readonly burst?: number;
  /** Between two calls of one device, on average, ms; default: none. */
  readonly pauseMs?: number;
  /** Now and then a device is silent for so long that its session may be retired, and then begins anew; default: none is. */
  readonly sleep?: { readonly chance: number; readonly ms: number };
}

export class Load {
  readonly devices: readonly Device[];
  readonly tally: Tally = { events: 0, allowed: 0, denied: 0, doubted: 0 };
  /** Sessions that were retired while their devices slept. */
  retired = 0;
  readonly #clients: readonly GatehouseClient[];

  constructor(private readonly options: LoadOptions) {
    this.#clients = options.apiUrls.map((url) =>
      createClient({ url, key: options.key, maxRequests: 8, requestTimeoutMs: 3_000, giveUpAfterMs: 3_000 }),
    );
    this.devices = Array.from({ length: options.devices }, (_, n) => ({
      id: `chaos-${n}`,
      oracle: new Oracle(),
      accepted: [],
      wrongAnswers: [],
      refused: [],
      asked: 0,
      heardAt: performance.now(),
    }));
  }

  /** Since when every device had an event accepted, by `performance.now()`. */
  get heardSince(): number {
    return Math.min(...this.devices.map(({ heardAt }) => heardAt));
  }

  /** Until the signal; then every event that was begun is brought to its answer. */
  async run(signal: AbortSignal): Promise<void> {
    // Each device waits for it.
    setMaxListeners(0, signal);
    await Promise.all(this.devices.map(async (device, index) => this.#live(device, index, signal)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map(async (client) => client.close()));
  }

  async #live(device: Device, index: number, signal: AbortSignal): Promise<void> {
    const random = new Random(this.options.seed, "behaviour", index);
    const chance = (): number => random.uint32() / 2 ** 32;
    const { burst = 1, pauseMs = 0, sleep } = this.options;
    let wipe: string | undefined;
    for (let n = 0; !signal.aborted;) {
      const events: [ChaosEvent, string][] = [];
      for (let left = random.between(1, burst); left > 0; left--, n++) {
        const event = nextEvent(device.oracle.state, chance, () => `w${index}-${n}`, wipe);
        if (event.type === "wipe.requested") wipe = event.requestId;
        // Nobody asks before they are accepted.
        device.oracle.take(event);
        events.push([event, `${index}-${n}`]);
      }
      for (const some of untilRestricting(events)) if (!(await this.#tell(device, some))) return;
      if (random.chance(Math.min(1, ASKS * events.length))) await this.#ask(device);
      if (sleep !== undefined && chance() < sleep.chance) {
        await delay(sleep.ms, undefined, { signal }).catch(() => undefined);
        if (await this.#isRetired(device)) {
          this.retired++;
          device.oracle = new Oracle();
          wipe = undefined;
        }
      }
      if (pauseMs > 0) await delay(2 * pauseMs * chance(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** The same events to one API or another, until one of them has taken them. */
  async #tell(device: Device, events: readonly Told[]): Promise<boolean> {
    const told = events.map(
      ([event, id]) =>
        ({
          specversion: "1.0",
          id,
          source: SOURCE,
          type: event.type,
          subject: `${device.id}/${USER}`,
          time: new Date().toISOString(),
          data: dataOf(event),
        }) as unknown as GatehouseEvent,
    );
    for (let tries = 0; ; tries++) {
      const client = this.#clients[tries % this.#clients.length] as GatehouseClient;
      const results = await client.emit(told).then(
        (report) => report.results,
        () => [],
      );
      const wrong = results.filter(({ status }) => status === "refused" || status === "conflict");
      if (wrong.length > 0) {
        device.refused.push(...wrong.map((result) => JSON.stringify(result)));
        return false;
      }
      const isTaken = results.every(({ status }) => status === "accepted" || status === "duplicate");
      if (isTaken && results.length === told.length) {
        device.heardAt = performance.now();
        device.accepted.push(...events.map(([, id]) => id));
        this.tally.events += events.length;
        return true;
      }
      await delay(BACK_OFF_MS);
    }
  }

  async #isRetired(device: Device): Promise<boolean> {
    if (device.oracle.state === "none") return false;
    const [client] = this.#clients as readonly [GatehouseClient];
    return (await client.decide({ device: device.id, user: USER })).reasons.includes(NO_SESSION);
  }

  async #ask(device: Device): Promise<void> {
    const client = this.#clients[device.asked % this.#clients.length] as GatehouseClient;
    const { decision, revision } = await client.decide({ device: device.id, user: USER });
    device.asked++;
    if (decision === "allow" && !device.oracle.hasAccess) {
      const after = device.accepted.at(-1);
      device.wrongAnswers.push(`allow at revision ${revision} after event ${after}, in ${device.oracle.state}`);
    }
    if (decision === "allow") this.tally.allowed++;
    else if (device.oracle.hasAccess) this.tally.doubted++;
    else this.tally.denied++;
  }
}

type Told = readonly [event: ChaosEvent, id: string];

/**
 * What can only take access away has a reserve beyond the limit of a device: in one request with what the limit holds back it would be
 * accepted before it, and the order would not be known. So it begins a request of its own.
 */
function untilRestricting(events: readonly Told[]): Told[][] {
  const parts: Told[][] = [];
  for (const told of events) {
    const [event] = told;
    const isRestricting =
      EVENTS.get(event.type)?.bearing({ type: event.type, ...dataOf(event) } as never) === "restricting";
    const part = parts.at(-1);
    if (part === undefined || isRestricting) parts.push([told]);
    else part.push(told);
  }
  return parts;
}
