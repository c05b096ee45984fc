/** `npm run chaos`: a chaos run, its report as a table and a picture, or one JSON object. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { type ChaosReport, chaos } from "./chaos.js";

const MOST_SHOWN = 20;

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
};
const seedOf = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("A seed is a whole number, 0 or more.");
  return value;
};

await new Command("chaos")
  .description("Breaks a running Gatehouse on purpose, and says whether every promise held.")
  .option("--minutes <n>", "how long things are broken", positive, 3)
  .option("--seed <n>", "which faults come when; default: another one each time", seedOf)
  .option("--devices <n>", "that live meanwhile", positive, 200)
  .option("--json", "one JSON object on stdout")
  .addHelpText(
    "after",
    "\nExample:\n  npm run chaos -- --minutes 3 --seed 7\n\nStarts a Redis, three workers, two APIs and a webhook receiver on this machine, and ends them again. Exit code 1 if a\npromise was broken; then data and logs are kept.",
  )
  .action(
    async ({ minutes, seed, devices, json }: { minutes: number; seed?: number; devices: number; json?: true }) => {
      const directory = await mkdtemp(join(tmpdir(), "gatehouse-chaos-"));
      const note = (text: string): void => void process.stderr.write(`${text}\n`);
      const stopping = new AbortController();
      process.once("SIGINT", () => {
        note("Stopping: what happened until now is checked. Again: ends at once.");
        stopping.abort();
        process.once("SIGINT", () => process.exit(130));
      });
      process.once("SIGTERM", () => process.exit(143));
      const report = await chaos({
        seed: seed ?? Math.floor(Math.random() * 1_000_000),
        minutes,
        devices,
        directory,
        signal: stopping.signal,
        progress: note,
        onFault: ({ kind, what, from }, events) =>
          note(`${(from / 1_000).toFixed(1).padStart(7)} s  ${kind}  ${what}  (${events.toLocaleString("en")} events)`),
      });
      process.stdout.write(json ? `${JSON.stringify(jsonOf(report))}\n` : tableOf(report));
      if (report.violations.length > 0) note(`Data and logs are in ${directory}.`);
      process.exit(report.violations.length > 0 ? 1 : 0);
    },
  )
  .parseAsync();

function jsonOf({ violations, ...report }: ChaosReport): object {
  return { ...report, violations: violations.length, violated: violations.slice(0, MOST_SHOWN) };
}

function tableOf(report: ChaosReport): string {
  const { seed, minutes, events, questions, doubts, faults, violations, recoveryMsMax, drainedMs, picture } = report;
  const table = new Table({ head: ["fault", "times"], style: { head: [], border: [] } });
  for (const [kind, n] of Object.entries(faults)) table.push([kind, String(n)]);
  return [
    `Seed ${seed}: ${events.toLocaleString("en")} events in ${minutes} minutes, ${questions.toLocaleString("en")} questions (${doubts} denied in doubt).`,
    table.toString(),
    `Longest until an event was accepted after a fault: ${recoveryMsMax} ms. Everything committed and delivered ${drainedMs} ms after peace.`,
    violations.length === 0
      ? "Every promise held."
      : [
          `${violations.length} violations:`,
          ...violations.slice(0, MOST_SHOWN).map(({ promise, what }) => `  ${promise}  ${what}`),
        ].join("\n"),
    `As a picture: ${picture}`,
    "",
  ].join("\n");
}
