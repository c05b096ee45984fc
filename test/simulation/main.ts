/** `npm run simulate`: many seeds, or one, or a script; what they came to as a table, or as one JSON object. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { CommanderError } from "commander";
import { progressBar } from "../../src/cli/progress-bar.js";
import { count, duration, note, print, printJson } from "../../src/cli/terminal.js";
import { type Options, PLANTED_SEEDS, simulateProgram } from "./command-line.js";
import { PLANTED } from "./planted.js";
import { type Outcome, Pool } from "./pool.js";
import { type Script, scriptOf } from "./script.js";
import { shrinkScript } from "./shrink-script.js";
import { type RunResult, simulate } from "./simulate.js";
import type { Violation } from "./violations.js";

const MOST_SHOWN = 20;
const WRONG_USAGE = 2;
const INTERRUPTED = 130;

interface Found {
  readonly bug: string;
  /** `null`: within {@link PLANTED_SEEDS} it was not. */
  readonly foundAtSeed: number | null;
}

interface Report {
  seeds: number;
  events: number;
  asked: number;
  doubts: number;
  faults: number;
  faultsByKind: Record<string, number>;
  violations: number;
  violated: (Violation & { readonly seed: number })[];
  /** Seeds that broke a promise. */
  failed: number[];
  /** Of one run alone. */
  traceHash?: string;
}

try {
  await simulateProgram(run).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
}

async function run(options: Options): Promise<void> {
  const { json, planted } = options;
  const startedAt = performance.now();
  const single = options.script ?? (options.seed === undefined ? undefined : scriptOf(options.seed));
  const pool = new Pool();
  const report = single === undefined ? await runSeeds(pool, options) : await runOne(single, options);
  const found = planted === true ? await findPlanted(pool) : undefined;
  pool.close();
  const tookMs = performance.now() - startedAt;
  const shrunk = await shrinkFirst(single ?? report.failed.slice(0, 1).map(scriptOf)[0], report);
  const { failed: _, traceHash, ...figures } = report;
  if (json === true) {
    printJson({
      ...figures,
      ...(traceHash !== undefined && { traceHash }),
      violated: figures.violated.slice(0, MOST_SHOWN),
      ...(found && { planted: found }),
      ...(shrunk && { script: shrunk }),
    });
  } else print(tell(report, found, tookMs));
  const isMissed = found?.some(({ foundAtSeed }) => foundAtSeed === null) === true;
  process.exitCode = report.violations > 0 || isMissed ? 1 : 0;
}

function newReport(): Report {
  return {
    seeds: 0,
    events: 0,
    asked: 0,
    doubts: 0,
    faults: 0,
    faultsByKind: {},
    violations: 0,
    violated: [],
    failed: [],
  };
}

function add(report: Report, { seed, events, asked, doubts, faults, violations }: Outcome): void {
  report.seeds++;
  report.events += events;
  report.asked += asked;
  report.doubts += doubts;
  for (const [kind, n] of Object.entries(faults)) {
    report.faults += n;
    report.faultsByKind[kind] = (report.faultsByKind[kind] ?? 0) + n;
  }
  report.violations += violations.length;
  if (violations.length > 0) report.failed.push(seed);
  report.violated.push(...violations.map((violation) => ({ seed, ...violation })));
}

async function runSeeds(pool: Pool, { seeds, from }: Options): Promise<Report> {
  const report = newReport();
  const bar = progressBar(seeds, "seeds");
  let next = from;
  let isStopping = false;
  process.once("SIGINT", () => {
    note("Stopping: the seeds that ran are reported. Again: ends at once.");
    isStopping = true;
    process.once("SIGINT", () => process.exit(INTERRUPTED));
  });
  const work = async (): Promise<void> => {
    while (next < from + seeds && !isStopping) {
      const outcome = await pool.run({ seed: next++ });
      add(report, outcome);
      const [first] = outcome.violations;
      if (first !== undefined) note(`seed ${outcome.seed}  ${first.promise}  ${first.what}`);
      bar.show(report.seeds);
    }
  };
  await Promise.all(Array.from({ length: Math.min(pool.size, seeds) }, work));
  bar.stop();
  report.failed.sort((one, other) => one - other);
  report.violated.sort((one, other) => one.seed - other.seed);
  return report;
}

async function runOne(script: Script, { trace }: Options): Promise<Report> {
  const report = newReport();
  const result: RunResult = await simulate(script, { keepTrace: trace === true });
  add(report, result);
  report.traceHash = result.traceHash;
  for (const line of result.trace) process.stderr.write(line);
  return report;
}

/** For each bug the first seed that shows it: several bugs side by side. */
async function findPlanted(pool: Pool): Promise<readonly Found[]> {
  const bugs = Object.keys(PLANTED);
  const bar = progressBar(bugs.length, "planted bugs");
  const found = new Map<string, number | null>();
  const find = async (bug: string): Promise<void> => {
    let at: number | null = null;
    for (let seed = 1; seed <= PLANTED_SEEDS && at === null; seed++) {
      const { violations } = await pool.run({ seed, bug });
      if (violations.length > 0) at = seed;
    }
    found.set(bug, at);
    bar.show(found.size);
  };
  await Promise.all(bugs.map(find));
  bar.stop();
  return bugs.map((bug) => ({ bug, foundAtSeed: found.get(bug) ?? null }));
}

/** @returns a small script that fails like the given one; `undefined`: nothing failed */
async function shrinkFirst(script: Script | undefined, { violations }: Report): Promise<Script | undefined> {
  if (violations === 0 || script === undefined) return undefined;
  note(`Seed ${script.seed} broke a promise. Looking for the least that still does …`);
  const shrunk = await shrinkScript(script);
  if (shrunk === undefined) return undefined;
  const file = join(tmpdir(), `gatehouse-simulation-${script.seed}.json`);
  const lines = (items: readonly object[]): string => items.map((item) => `\n  ${JSON.stringify(item)}`).join(",");
  const { seed, life, actions, faults } = shrunk.script;
  const text = `{ "seed": ${seed}, "life": "${life}",\n "faults": [${lines(faults)}],\n "actions": [${lines(actions)}] }\n`;
  writeFileSync(file, text);
  const [first] = shrunk.result.violations;
  note(`${actions.length} actions and ${faults.length} faults are left, after ${shrunk.runs} runs:\n\n${text}`);
  note(`${first?.promise}: ${first?.what}\n\nIt is in ${file}. Again, with everything that happens:`);
  note(`  npm run simulate -- --script ${file} --trace`);
  return shrunk.script;
}

function tell(report: Report, found: readonly Found[] | undefined, tookMs: number): string {
  const { seeds, events, asked, doubts, faults, faultsByKind, violations, violated } = report;
  const table = (head: [string, string], rows: readonly (readonly [string, string])[]): string => {
    const drawn = new Table({ head, style: { head: [], border: [] } });
    drawn.push(...rows.map((row) => [...row]));
    return drawn.toString();
  };
  return [
    `${count(seeds)} seeds: ${count(events)} events, ${count(faults)} faults, ${count(asked)} questions (${count(doubts)} denied in doubt), in ${duration(tookMs)}.`,
    table(
      ["fault", "times"],
      Object.entries(faultsByKind)
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([kind, n]) => [kind, count(n)]),
    ),
    ...(found
      ? [
          table(
            ["planted bug", "found at seed"],
            found.map(({ bug, foundAtSeed }) => [bug, foundAtSeed === null ? "not found" : String(foundAtSeed)]),
          ),
        ]
      : []),
    violations === 0
      ? "Every promise held."
      : [
          `${count(violations)} violations:`,
          ...violated.slice(0, MOST_SHOWN).map(({ seed, promise, what }) => `  seed ${seed}  ${promise}  ${what}`),
        ].join("\n"),
  ].join("\n");
}
