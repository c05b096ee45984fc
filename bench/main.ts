/** `npm run bench`: runs a benchmark and prints a table, or one JSON object with `--json`. */
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { type CoreResult, core } from "./core/core.js";

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
};

const program = new Command("bench")
  .description("Measures Gatehouse beside XState alone and the plain way with BullMQ, on the same events in one run.")
  .option("--devices <n>", "devices of the generated day, about 50 events each", positive, 2_000)
  .option("--sessions <n>", "idle sessions to measure the memory of", positive, 100_000)
  .option("--json", "one JSON object on stdout")
  .addHelpText("after", "\nExample:\n  npm run bench -- --json\n  npm run bench -- --devices 200 --sessions 5000");

program.parse();
const { devices, sessions, json } = program.opts<{ devices: number; sessions: number; json?: true }>();
const result = await core({ devices, sessions, progress: (what) => process.stderr.write(`measuring: ${what}\n`) });
process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${table(result)}\n`);
process.exit(0);

function table(measured: CoreResult): string {
  const rates = new Table({ head: ["way", "events/s", "to the plain way"], style: { head: [], border: [] } });
  const row = (way: string, rate: number) =>
    rates.push([way, rate.toLocaleString("en"), `${(rate / measured.bullmq).toFixed(2)} ×`]);
  row("XState alone, in a loop", measured.xstate);
  row("plain way: one BullMQ job an event", measured.bullmq);
  row("Gatehouse, accepted and committed", measured.gatehouse);
  return [
    rates.toString(),
    `accepted → committed at 200 events/s: p50 ${measured.p50Ms} ms, p99 ${measured.p99Ms} ms (a bare BullMQ job: p99 ${measured.bullmqP99Ms} ms)`,
    `an idle session: ${measured.bytesPerSession} bytes of Redis memory`,
  ].join("\n");
}
