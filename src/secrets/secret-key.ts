/**
 * The deployment's one secret, from which a key is derived for each purpose: what is stored in Redis can't be used, or not be read,
 * without it. It never gets there itself.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RedisConnection } from "../redis/connection.js";
import { type Config, ConfigError } from "../config.js";
import { secretCheckKey } from "../store/keys.js";

const KEY_BYTES = 32;
const OWN_SECRET = "secret.key";

export type SecretPurpose = "api-keys" | "webhook-secrets" | "audit" | "check";

export class SecretKey {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** 256 bits: another key for every purpose, and the same one every time. */
  derive(purpose: SecretPurpose): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#secret, "gatehouse", purpose, KEY_BYTES));
  }
}

/**
 * GATEHOUSE_SECRET_KEY; without it, that of the private instance, which is made at first use and kept in its directory.
 * @throws ConfigError if the settings name a Redis of somebody's: then every machine needs the same secret, so it has to be said
 */
export async function readSecretKey(config: SecretSettings): Promise<SecretKey> {
  return new SecretKey(await readSecret(config));
}

type SecretSettings = Pick<Config, "secretKey" | "redis" | "directory">;

/**
 * The secret itself, for a process that is started to work with it.
 * @throws ConfigError as {@link readSecretKey}
 */
export async function readSecret({ secretKey, redis, directory }: SecretSettings): Promise<string> {
  if (secretKey !== undefined) return secretKey;
  if (redis !== undefined) {
    throw new ConfigError("GATEHOUSE_SECRET_KEY is not set", {
      fix: "Set it to 32 random characters or more, for example from `openssl rand -hex 32`, and to the same ones on every machine.",
    });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, OWN_SECRET);
  try {
    // Fails if it is there: of two processes that begin together, one makes it.
    await writeFile(file, randomBytes(KEY_BYTES).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return (await readFile(file, "utf8")).trim();
}

/**
 * Keeps a process with another secret from making what the others can't read.
 * @throws ConfigError if the deployment was begun with another one
 */
export async function checkSecretKey(redis: RedisConnection, prefix: string, key: SecretKey): Promise<void> {
  const mark = markOf(key);
  if (isSameMark((await redis.set(secretCheckKey(prefix), mark, "NX", "GET")) ?? mark, mark)) return;
  throw new ConfigError("GATEHOUSE_SECRET_KEY is another one than that with which this deployment was begun", {
    fix: "Set it as on the other machines. API keys and webhook secrets made with the other one can't be used with this one.",
  });
}

const markOf = (key: SecretKey): string => createHmac("sha256", key.derive("check")).update("gatehouse").digest("hex");

const isSameMark = (stored: string, mark: string): boolean =>
  stored.length === mark.length && timingSafeEqual(Buffer.from(stored), Buffer.from(mark));

/**
 * How this process's secret stands to the deployment's: `unused`: nothing was made with any; `missing`: something was, and there is none here.
 * Writes nothing.
 * @throws whatever the connection says
 */
export async function secretStanding(
  redis: RedisConnection,
  { prefix, secretKey, redis: named, directory }: SecretSettings & Pick<Config, "prefix">,
): Promise<"same" | "another" | "missing" | "unused"> {
  const stored = await redis.get(secretCheckKey(prefix));
  if (stored === null) return "unused";
  const secret = secretKey ?? (named === undefined ? await ownSecret(directory) : undefined);
  if (secret === undefined) return "missing";
  return isSameMark(stored, markOf(new SecretKey(secret))) ? "same" : "another";
}

async function ownSecret(directory: string): Promise<string | undefined> {
  return readFile(join(directory, OWN_SECRET), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
