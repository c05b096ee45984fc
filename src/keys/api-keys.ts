/** API keys in Redis: made, listed, revoked, and checked at every request with a short memory. */
import { type RedisConnection, withReplica } from "../redis/connection.js";
import { GatehouseError } from "../errors.js";
import type { SecretKey } from "../secrets/secret-key.js";
import { apiKeysKey } from "../store/keys.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { ApiKeyRecord, type Scope, formatKey, isSecretOf, macOf, newKeyText, parseKey } from "./api-key.js";

/** How long a key that was read is believed: a revocation takes hold everywhere within this. */
const REMEMBERED_MS = 2_000;
/** Ids remembered, unknown ones among them: they come from outside. */
const REMEMBERED_KEYS = 10_000;

/** There is no such key in the tenant. */
export class ApiKeyUnknownError extends GatehouseError {
  readonly code = "key.unknown";
  readonly retryable = false;
}

export interface NewApiKey {
  readonly tenant: string;
  /** For people. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly emitters?: ApiKeyRecord["emitters"];
  /** Epoch ms; `null`: never. */
  readonly expiresAt: number | null;
}

/** Every method may reject with `StoreUnavailableError`. */
export class ApiKeys {
  readonly #pepper: Buffer;
  readonly #remembered = new Map<string, { readonly record: ApiKeyRecord | undefined; readonly until: number }>();
  readonly #key: string;

  constructor(
    private readonly redis: RedisConnection,
    prefix: string,
    secretKey: SecretKey,
  ) {
    this.#key = apiKeysKey(prefix);
    this.#pepper = secretKey.derive("api-keys");
  }

  /** @returns what is kept, and the key itself, which can't be had again */
  async create({
    tenant,
    name,
    scopes,
    emitters,
    expiresAt,
  }: NewApiKey): Promise<{ record: ApiKeyRecord; key: string }> {
    const text = newKeyText();
    const record: ApiKeyRecord = {
      id: text.id,
      tenant,
      name,
      scopes: [...scopes],
      ...(emitters !== undefined && { emitters: [...emitters] }),
      mac: macOf(text.secret, this.#pepper),
      createdAt: Date.now(),
      expiresAt,
      revokedAt: null,
    };
    await this.call("create", this.store(record), true);
    return { record, key: formatKey(text) };
  }

  /** A tenant's keys, the oldest first, revoked ones included. */
  async list(tenant: string): Promise<ApiKeyRecord[]> {
    const all = await this.call("list", this.redis.hvals(this.#key), false);
    return all
      .map(readRecord)
      .filter((record) => record.tenant === tenant)
      .sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1));
  }

  /**
   * From then on, within seconds, no request with it is taken.
   * @throws ApiKeyUnknownError
   */
  async revoke(tenant: string, id: string): Promise<ApiKeyRecord> {
    const record = await this.read(id);
    if (record?.tenant !== tenant) {
      throw new ApiKeyUnknownError(`there is no API key ${JSON.stringify(id)}`, {
        fix: "`gatehouse keys list` shows the ids.",
      });
    }
    if (record.revokedAt !== null) return record;
    const revoked = { ...record, revokedAt: Date.now() };
    await this.call("revoke", this.store(revoked), true);
    this.#remembered.delete(id);
    return revoked;
  }

  /** The key that the text is, if there is one and it may be used now. */
  async verify(text: string): Promise<ApiKeyRecord | undefined> {
    const parsed = parseKey(text);
    if (parsed === undefined) return undefined;
    const record = await this.recall(parsed.id);
    if (record === undefined || !isSecretOf(record, parsed.secret, this.#pepper)) return undefined;
    const isOver = record.revokedAt !== null || (record.expiresAt !== null && record.expiresAt <= Date.now());
    return isOver ? undefined : record;
  }

  private async recall(id: string): Promise<ApiKeyRecord | undefined> {
    const now = performance.now();
    const known = this.#remembered.get(id);
    if (known !== undefined && known.until > now) return known.record;
    const record = await this.read(id);
    if (this.#remembered.size >= REMEMBERED_KEYS) this.#remembered.clear();
    this.#remembered.set(id, { record, until: now + REMEMBERED_MS });
    return record;
  }

  /** A key that was revoked must not come back with the next primary. */
  private async store(record: ApiKeyRecord): Promise<unknown> {
    return withReplica(this.redis, this.#key, (redis) => redis.hset(this.#key, record.id, JSON.stringify(record)));
  }

  private async read(id: string): Promise<ApiKeyRecord | undefined> {
    const text = await this.call("read", this.redis.hget(this.#key, id), false);
    return text === null ? undefined : readRecord(text);
  }

  private async call<Answer>(name: string, answer: Promise<Answer>, isWrite: boolean): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw toUnavailable(error, `api keys: ${name}`, isWrite);
    }
  }
}

const readRecord = (text: string): ApiKeyRecord => ApiKeyRecord.parse(JSON.parse(text));
