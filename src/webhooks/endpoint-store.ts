/** Endpoints in Redis. They are read for every batch of effects and change rarely, so a reader asks only whether they changed. */
import type { RedisConnection } from "../redis/connection.js";
import { type WebhookKeys, webhookKeys } from "../store/keys.js";
import { Script } from "../store/redis/script.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { EndpointRecord } from "./endpoint.js";
import { WebhookConflictError } from "./webhook-errors.js";

const SAVE = new Script("webhook-save", { isConfirmed: true });

interface Known {
  readonly version: string;
  readonly records: ReadonlyMap<string, EndpointRecord>;
}

/** Every method may reject with `StoreUnavailableError`. */
export class EndpointStore {
  readonly #keys: WebhookKeys;
  #known: Known | undefined;

  constructor(
    private readonly redis: RedisConnection,
    prefix: string,
  ) {
    this.#keys = webhookKeys(prefix);
  }

  /** All tenants' endpoints by id, as they are now. */
  async all(): Promise<ReadonlyMap<string, EndpointRecord>> {
    const version = (await this.#answer(false, this.redis.get(this.#keys.version))) ?? "0";
    if (this.#known?.version === version) return this.#known.records;
    // Read after the version: newer records under an older version are read once more, never the other way about.
    const stored = await this.#answer(false, this.redis.hgetall(this.#keys.records));
    const records = new Map(
      Object.entries(stored).map(([id, text]) => [id, EndpointRecord.parse(JSON.parse(text))] as const),
    );
    this.#known = { version, records };
    return records;
  }

  /**
   * @param before the record that the new one was made from; `undefined`: there is none yet
   * @param after `undefined`: it goes away
   * @throws WebhookConflictError if it is no longer the one stored
   */
  async save(id: string, before: EndpointRecord | undefined, after: EndpointRecord | undefined): Promise<void> {
    const { records, version } = this.#keys;
    const argv = [id, encode(before), encode(after)];
    const reply = await this.#answer(true, SAVE.run(this.redis, [records, version], argv));
    if (reply !== 1) throw new WebhookConflictError(id);
  }

  async #answer<Reply>(write: boolean, reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply;
    } catch (error) {
      throw toUnavailable(error, "webhook endpoints", write);
    }
  }
}

/** Parsed and written again, a record is the same text: that is how it is told from a changed one. */
const encode = (record: EndpointRecord | undefined): string =>
  record === undefined ? "" : JSON.stringify(EndpointRecord.parse(record));
