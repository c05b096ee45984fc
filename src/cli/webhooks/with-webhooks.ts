/** What the commands about webhooks and their deliveries begin and end with. */
import { userInfo } from "node:os";
import { type Config, readConfig } from "../../config.js";
import { openWebhooks } from "../../webhooks/open-webhooks.js";
import type { Webhooks } from "../../webhooks/webhooks.js";
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

/** Who is at the terminal, as the log says it. */
export function operator(): string {
  try {
    return `${userInfo().username} (command line)`;
  } catch {
    return "somebody (command line)";
  }
}
