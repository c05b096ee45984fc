/**
 * Everything that can be known without a Redis: types, lint, format, unused code, unit tests. Two at a time, for two
 * cores; quiet about what passes, complete about what fails. `--without-tests` leaves the unit tests to a run that has
 * them anyway.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const env = { ...process.env, PATH: [`${root}node_modules/.bin`, process.env.PATH].join(delimiter) };

// The slowest first: the others fit beside it.
const STEPS = [
  { name: "unit tests", command: "vitest", args: ["run", "--project", "unit"] },
  { name: "lint", command: "oxlint", args: [], fix: "npm run lint -- --fix mends some of it" },
  { name: "types", command: "tsc", args: [] },
  { name: "format", command: "prettier", args: ["--check", "."], fix: "npm run format mends it" },
  { name: "unused code", command: "knip", args: ["--no-progress"] },
  { name: "documents", command: "tsx", args: ["scripts/docs.ts", "--check"], fix: "npm run docs writes them anew" },
];

const steps = process.argv.includes("--without-tests") ? STEPS.filter(({ name }) => name !== "unit tests") : STEPS;
const queue = [...steps];
const failed = [];
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
for (const { step, output } of failed) {
  process.stdout.write(`\n── ${step.name}: ${[step.command, ...step.args].join(" ")}\n${output.trimEnd()}\n`);
  if (step.fix !== undefined) process.stdout.write(`(${step.fix})\n`);
}
process.exitCode = failed.length > 0 ? 1 : 0;

async function work() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const startedAt = performance.now();
    const { code, output } = await run(step);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? "ok    " : "FAILED"}  ${step.name.padEnd(12)} ${seconds.padStart(5)} s\n`);
    if (code !== 0) failed.push({ step, output });
  }
}

function run({ command, args }) {
  return new Promise((settle) => {
    let output = "";
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) =>
      settle({ code: 1, output: `${error.message}: are the dependencies installed (npm ci)?` }),
    );
    child.on("close", (code) => settle({ code, output }));
  });
}
