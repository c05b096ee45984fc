/** `gatehouse work`: one worker in the foreground. */
import type { Command } from "commander";
import { fork } from "node:child_process";
import { type Config, readConfig } from "../config.js";
import { deliverySettings } from "../webhooks/open-webhooks.js";
import { EXIT } from "./exit-code.js";
import { runningPrivate } from "./redis-access.js";
import { WORKER_PROGRAM } from "./worker-process.js";

const EXAMPLE = `
Example:
  $ REDIS_URL=redis://127.0.0.1:6379 GATEHOUSE_EFFECTS=effects.ndjson gatehouse work

Settings are read from the environment: REDIS_URL (or REDIS_CLUSTER, REDIS_SENTINEL), GATEHOUSE_PREFIX, GATEHOUSE_EFFECTS (a file, or - for stdout),
GATEHOUSE_CONCURRENCY, GATEHOUSE_WAKE_SHARDS, GATEHOUSE_SHUTDOWN_MS, GATEHOUSE_HEARTBEAT_FILE, LOG_LEVEL; for webhooks
GATEHOUSE_SECRET_KEY and GATEHOUSE_WEBHOOK_ALLOW_PRIVATE, for remediators GATEHOUSE_REMEDIATORS. Any number
of workers may run at once. SIGTERM ends one when its work under way is done; its log is on stderr, as JSON.`;

export function workCommand(program: Command): void {
  program
    .command("work")
    .summary("run a worker")
    .description("Runs a worker until it is told to stop: it processes events, fires deadlines and delivers effects.")
    .addHelpText("after", EXAMPLE)
    .action(async () => {
      const config = readConfig();
      const child = fork(WORKER_PROGRAM, {
        env: { ...process.env, ...(await privateSettings(config)) },
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      // Ctrl-C reaches the worker by itself, a signal to this process does not.
      process.on("SIGINT", () => undefined);
      process.on("SIGTERM", () => child.kill("SIGTERM"));
      process.exitCode = await new Promise<number>((resolve) => {
        child.once("exit", (code) => resolve(code ?? EXIT.failure));
        child.once("error", () => resolve(EXIT.failure));
      });
    });
}

/** A Redis of somebody's comes with settings of theirs, which the worker finds by itself; the private instance has its own. */
async function privateSettings(config: Config): Promise<Readonly<Record<string, string>>> {
  if (config.redis !== undefined) return {};
  const { url } = await runningPrivate(config);
  return { REDIS_URL: url, ...(await deliverySettings(config)) };
}
