/** The API as `gatehouse serve` runs it, with a key to use it with. */
import { readConfig } from "../../src/config.js";
import { serveApi } from "../../src/http/serve.js";
import { ApiKeys } from "../../src/keys/api-keys.js";
import { connectStore } from "../../src/redis/connection.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { inChild, tell } from "../core/child.js";

interface Input {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly tenant: string;
  readonly secretKey: string;
}

inChild<Input>(async ({ redisUrl, prefix, tenant, secretKey }) => {
  const { url } = await serveApi(
    readConfig({
      REDIS_URL: redisUrl,
      GATEHOUSE_PREFIX: prefix,
      GATEHOUSE_SECRET_KEY: secretKey,
      GATEHOUSE_PORT: "0",
      LOG_LEVEL: "warn",
    }),
    redisUrl,
  );
  const redis = await connectStore(redisUrl);
  const { key } = await new ApiKeys(redis, prefix, new SecretKey(secretKey)).create({
    tenant,
    name: "bench",
    scopes: ["emit", "decide"],
    expiresAt: null,
  });
  redis.disconnect();
  tell({ kind: "ready", url, key });
});
