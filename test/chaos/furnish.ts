/** What a deployment needs before its devices can live in it: policies, a key, and an endpoint for what takes access away. */
import { publish } from "../../src/control/publish.js";
import type { OpenDeployment } from "../../src/deployment/open-deployment.js";
import { ApiKeys } from "../../src/keys/api-keys.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { Targets } from "../../src/webhooks/target.js";
import { Webhooks } from "../../src/webhooks/webhooks.js";
import { CONTENT } from "./world.js";

export const TENANT = "contoso";
export const PREFIX = "gh";
const SECRET = "chaos".repeat(8);
const TYPES = ["signOut", "wipe"] as const;
/** What the endpoint is told of. */
export const EFFECT_TYPES: ReadonlySet<string> = new Set(TYPES);

/** Of every process. */
export const ENVIRONMENT = {
  GATEHOUSE_PREFIX: PREFIX,
  GATEHOUSE_TENANT: TENANT,
  GATEHOUSE_SECRET_KEY: SECRET,
  GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
  LOG_LEVEL: "warn",
} as const;

/** @returns the key */
export async function furnish(deployment: OpenDeployment, receiver: string): Promise<string> {
  const { redis, prefix } = deployment;
  await publish(deployment, TENANT, CONTENT);
  const keys = new ApiKeys(redis, prefix, new SecretKey(SECRET));
  const { key } = await keys.create({ tenant: TENANT, name: "device", scopes: ["emit", "decide"], expiresAt: null });
  await webhooksOf(deployment).create(TENANT, { url: receiver, filter: { types: [...TYPES] } });
  return key;
}

export function webhooksOf({ redis, prefix }: OpenDeployment): Webhooks {
  const targets = new Targets({ allowPrivate: ["127.0.0.0/8"] });
  return new Webhooks({ redis, prefix, secretKey: new SecretKey(SECRET), targets });
}
