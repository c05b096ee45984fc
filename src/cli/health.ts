/** `gatehouse health`: whether Redis answers and work is being done, for people and for container health checks. */
import type { Command } from "commander";
import { stat } from "node:fs/promises";
import { readConfig } from "../config.js";
import { greatest, readPartitions, sumOf } from "../metrics/deployment-facts.js";
import { MAX_WAIT_MS } from "./doctor/work-checks.js";
import { EXIT } from "./exit-code.js";
import { JSON_OPTION } from "./options.js";
import { openRunning } from "./redis-access.js";
import { columns, count, duration, paintOut, print, printJson } from "./terminal.js";

/** A living worker touches its heartbeat about every second. */
const HEARTBEAT_MAX_AGE_MS = 10_000;

const EXAMPLE = `
Example:
  $ gatehouse health --json

Healthy: Redis answers, no event has waited longer than ${MAX_WAIT_MS / 1_000} s for a worker, and where
GATEHOUSE_HEARTBEAT_FILE is set, the worker beside it is alive.`;

interface Health {
  readonly healthy: boolean;
  readonly problems: readonly string[];
  readonly partitions: number;
  /** Partitions with events that wait. */
  readonly behind: number;
  readonly longestWaitMs: number;
  /** Effects that wait for delivery. */
  readonly outbox: number;
  readonly sessions: number;
  /** Sessions that published policies have yet to be brought to, at most; decisions obey them already. */
  readonly unwalked: number;
  /** Absent: no heartbeat is configured; `null`: there is none. */
  readonly heartbeatAgeMs?: number | null;
}

export function healthCommand(program: Command): void {
  program
    .command("health")
    .summary("say whether Redis answers and workers work")
    .description("Looks at the deployment's facts and says whether it is healthy.")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async ({ json }: { readonly json?: true }) => {
      const health = await examine();
      if (json) printJson(health);
      else for (const line of page(health)) print(line);
      if (!health.healthy) process.exitCode = EXIT.failure;
    });
}

async function examine(): Promise<Health> {
  const config = readConfig();
  const { store, close } = await openRunning(config);
  try {
    const partitions = await readPartitions(store);
    const longestWaitMs = greatest(partitions, "waitMs");
    const heartbeatAgeMs = config.heartbeatFile === undefined ? undefined : await ageOf(config.heartbeatFile);
    const problems = [
      ...(longestWaitMs > MAX_WAIT_MS
        ? [`an event has waited for ${duration(longestWaitMs)}: is a worker running?`]
        : []),
      ...(heartbeatAgeMs === null ? ["the worker has given no sign of life yet"] : []),
      ...(typeof heartbeatAgeMs === "number" && heartbeatAgeMs > HEARTBEAT_MAX_AGE_MS
        ? [`the worker's last sign of life is ${duration(heartbeatAgeMs)} old`]
        : []),
    ];
    return {
      healthy: problems.length === 0,
      problems,
      partitions: partitions.length,
      behind: partitions.filter(({ waiting }) => waiting > 0).length,
      longestWaitMs,
      outbox: sumOf(partitions, "outbox"),
      sessions: sumOf(partitions, "sessions"),
      unwalked: sumOf(partitions, "unwalked"),
      ...(heartbeatAgeMs !== undefined && { heartbeatAgeMs }),
    };
  } finally {
    await close();
  }
}

async function ageOf(file: string): Promise<number | null> {
  try {
    return Math.max(0, Date.now() - (await stat(file)).mtimeMs);
  } catch {
    return null;
  }
}

function page(health: Health): string[] {
  const { healthy, problems, partitions, behind, longestWaitMs, outbox, sessions, unwalked } = health;
  return [
    healthy ? paintOut(["bold", "green"], "healthy") : paintOut(["bold", "red"], "not healthy"),
    ...problems.map((problem) => `  ${problem}`),
    ...columns([
      ["  behind", `${behind} of ${partitions} partitions`],
      ["  longest wait", duration(longestWaitMs)],
      ["  effects to deliver", count(outbox)],
      ["  sessions", count(sessions)],
      ["  policy walk", unwalked === 0 ? "done" : `${count(unwalked)} sessions left`],
    ]),
  ];
}
