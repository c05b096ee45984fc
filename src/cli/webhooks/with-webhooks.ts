/** What the commands about webhooks and their deliveries begin and end with. */
import { type Config, readConfig } from "../../config.js";
import { openWebhooks } from "../../webhooks/open-webhooks.js";
import type { Webhooks } from "../../webhooks/webhooks.js";
import type { Act, Acting } from "../../audit/audit-log.js";
import { type ActOptions, machineUser, record } from "../act.js";
import { openRunning } from "../redis-access.js";

export async function withWebhooks<Result>(
  work: (webhooks: Webhooks, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = readConfig();
  const deployment = await openRunning(config);
  try {
    return await work(await openWebhooks(deployment.redis, config), config);
  } finally {
    await deployment.close();
  }
}

/** Changes something, and records it. */
export async function actOnWebhooks<Result>(
  options: ActOptions,
  act: Act,
  work: (webhooks: Webhooks, config: Config, acting: Acting) => Promise<Result>,
): Promise<Result> {
  const config = readConfig();
  const deployment = await openRunning(config);
  try {
    const webhooks = await openWebhooks(deployment.redis, config);
    const where = { ...config, redis: deployment.redis };
    return await record(where, options, act, async (acting) => work(webhooks, config, acting));
  } finally {
    await deployment.close();
  }
}

/** Who acts, as a delivery's log says it. */
export const operator = ({ by = machineUser() }: ActOptions): string => `${by} (command line)`;
