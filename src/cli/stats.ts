/** `gatehouse stats`: how much there is, how fast it goes, and what waits. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { setTimeout as delay } from "node:timers/promises";
import { readConfig } from "../config.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { RateWindow } from "../metrics/rates.js";
import { UsageError } from "./failure.js";
import { interrupted } from "./interrupt.js";
import { span, wholeNumber } from "./options.js";
import { whenThere } from "./outage.js";
import { openToRead } from "./redis-access.js";
import { statsPage } from "./stats/page.js";
import { type Stats, readStats } from "./stats/report.js";
import { openScreen } from "./stats/screen.js";
import { note, paintOut, print, printJson } from "./terminal.js";

/** Rates of a view that goes on are taken over so long. */
const WINDOW_MS = 10_000;
const LEAST_INTERVAL_MS = 100;

const EXAMPLE = `
Example:
  $ gatehouse stats
  $ gatehouse stats --watch
  $ gatehouse stats --watch --interval 10s --count 6 --json

Figures are of the whole deployment, all tenants. Rates are over the second (--interval) that the command takes; with
--watch, over the last ${WINDOW_MS / 1_000} s. --watch draws them again and again on a terminal; with --json it prints an
object a line.`;

interface StatsOptions {
  readonly watch?: true;
  readonly interval: number;
  readonly count?: number;
  readonly json?: true;
}

export function statsCommand(program: Command): void {
  program
    .command("stats")
    .summary("show sessions by state, rates and what waits")
    .description("Shows how many sessions are in which state, how fast events are processed, and what waits.")
    .option("--watch", "go on until Ctrl-C")
    .addOption(
      new Option("--interval <time>", "between two looks, such as 500ms or 10s")
        .argParser(interval)
        .default(1_000, "1s"),
    )
    .option("--count <n>", "end after so many looks; with --watch", wholeNumber(1))
    .option("--json", "print one JSON object on stdout, and nothing else there; with --watch, one a line")
    .addHelpText("after", EXAMPLE)
    .action(async (options: StatsOptions) => {
      checkOptions(options);
      const deployment = await openToRead(readConfig());
      try {
        await (options.watch ? watch(deployment, options) : once(deployment, options));
      } finally {
        await deployment.close();
      }
    });
}

function interval(text: string): number {
  const ms = span(text);
  if (ms < LEAST_INTERVAL_MS) throw new InvalidArgumentError(`Give ${LEAST_INTERVAL_MS}ms or more.`);
  return ms;
}

/** @throws UsageError */
function checkOptions({ watch: watches, count, json }: StatsOptions): void {
  if (count !== undefined && !watches) {
    throw new UsageError("--count says after how many looks --watch ends", { fix: "Give --watch with it." });
  }
  if (watches && !json && !process.stdout.isTTY) {
    throw new UsageError("--watch draws on a terminal, and stdout is none", {
      fix: "Give --json: then it prints an object a line. Or leave --watch out.",
    });
  }
}

async function once(deployment: OpenDeployment, { interval: betweenMs, json }: StatsOptions): Promise<void> {
  const window = new RateWindow(WINDOW_MS);
  await readStats(deployment, window);
  await delay(betweenMs);
  const stats = await readStats(deployment, window);
  if (json) printJson(stats);
  else for (const line of statsPage(stats, deployment.store.deployment.partitionCount)) print(line);
}

async function watch(deployment: OpenDeployment, { interval: betweenMs, count, json }: StatsOptions): Promise<void> {
  const stopping = new AbortController();
  void interrupted().then(() => stopping.abort());
  const { partitionCount } = deployment.store.deployment;
  const page = (stats: Stats): string[] => statsPage(stats, partitionCount);
  const screen = json ? undefined : openScreen(process.stdout);
  let last: Stats | undefined;
  const say = (sentence: string): void => {
    if (screen === undefined) note(sentence);
    else screen.draw([paintOut("yellow", sentence), "", ...(last === undefined ? [] : page(last))]);
  };
  const window = new RateWindow(WINDOW_MS);
  try {
    for (let looks = 0; looks < (count ?? Number.POSITIVE_INFINITY) && !stopping.signal.aborted; looks++) {
      if (looks > 0) await delay(betweenMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      const stats = await whenThere(() => readStats(deployment, window), stopping.signal, say);
      if (stats === undefined) break;
      last = stats;
      if (screen === undefined) printJson(stats);
      else screen.draw([...page(stats), "", paintOut("dim", "Ctrl-C ends it.")]);
    }
  } finally {
    screen?.leave();
  }
  // What was seen last stays to be read.
  if (screen !== undefined && last !== undefined) for (const line of page(last)) print(line);
}
