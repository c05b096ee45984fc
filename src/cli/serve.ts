/** `gatehouse serve`: the API in the foreground. */
import type { Command } from "commander";
import { readConfig } from "../config.js";
import { interrupted } from "./interrupt.js";
import { findRedis } from "./redis-access.js";
import { note, print } from "./terminal.js";

const EXAMPLE = `
Example:
  $ REDIS_URL=redis://127.0.0.1:6379 GATEHOUSE_SECRET_KEY=$(openssl rand -hex 32) gatehouse serve

Settings are read from the environment: REDIS_URL (or REDIS_CLUSTER, REDIS_SENTINEL), GATEHOUSE_PREFIX, GATEHOUSE_SECRET_KEY, GATEHOUSE_HOST (127.0.0.1),
GATEHOUSE_PORT (8710), GATEHOUSE_METRICS_PORT, GATEHOUSE_DURABILITY, GATEHOUSE_WAKE_SHARDS, GATEHOUSE_SHUTDOWN_MS,
LOG_LEVEL; docs/running.md explains them. Any number may run at once, behind a proxy that ends TLS. SIGTERM ends one when the requests under way are answered; its log is on stderr, as JSON.`;

export function serveCommand(program: Command): void {
  program
    .command("serve")
    .summary("run the HTTP API")
    .description("Runs the HTTP API until it is told to stop. Workers are run by `gatehouse work`.")
    .addHelpText("after", EXAMPLE)
    .action(async () => {
      const config = readConfig();
      const redis = await findRedis(config);
      // Loaded when it is needed: no other command has a use for it.
      const { serveApi } = await import("../http/serve.js");
      const api = await serveApi(config, redis);
      print(`The API listens on ${api.url}, its documentation is ${api.url}/docs.`);
      if (api.metricsUrl !== undefined) print(`Metrics are at ${api.metricsUrl}/metrics.`);
      await interrupted();
      note("Stopping …");
      await api.stop();
    });
}
