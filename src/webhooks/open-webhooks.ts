/** The tenant's webhooks of a deployment, with the rules and the secret key that the settings say. */
import type { RedisConnection } from "../redis/connection.js";
import type { Config } from "../config.js";
import { checkSecretKey, readSecret, readSecretKey } from "../secrets/secret-key.js";
import { LOOPBACK, Targets } from "./target.js";
import { Webhooks } from "./webhooks.js";

type WebhookSettings = Pick<Config, "secretKey" | "redis" | "directory" | "webhookAllowPrivate">;

/** Ranges that webhooks may go to although they are not public: of a private instance, this machine. */
export const allowedRanges = ({
  webhookAllowPrivate,
  redis,
}: Pick<Config, "webhookAllowPrivate" | "redis">): readonly string[] =>
  webhookAllowPrivate ?? (redis === undefined ? LOOPBACK : []);

/**
 * What a worker's environment needs so that it can deliver for the instance of these settings.
 * @throws ConfigError
 */
export async function deliverySettings(config: WebhookSettings): Promise<Readonly<Record<string, string>>> {
  return {
    GATEHOUSE_SECRET_KEY: await readSecret(config),
    GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: allowedRanges(config).join(","),
  };
}

/** @throws ConfigError, StoreUnavailableError */
export async function openWebhooks(
  redis: RedisConnection,
  config: WebhookSettings & Pick<Config, "prefix">,
): Promise<Webhooks> {
  const secretKey = await readSecretKey(config);
  await checkSecretKey(redis, config.prefix, secretKey);
  return new Webhooks({
    redis,
    prefix: config.prefix,
    secretKey,
    targets: new Targets({ allowPrivate: allowedRanges(config) }),
  });
}
