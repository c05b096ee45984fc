/**
 * A process that has loaded the program and is handed one command line after another. For each, `process` is what a new process would find,
 * and the program's main module runs anew over modules that are loaded.
 */
import { Readable, Writable } from "node:stream";

const MAIN = new URL("../../dist/src/cli/main.js", import.meta.url);
const SIGNALS = ["SIGINT", "SIGTERM"];

const exit = process.exit.bind(process);
let runs = 0;
let last = Promise.resolve();
process.on("message", (line) => {
  last = last.then(async () => process.send(await run(line)));
});
process.on("disconnect", () => exit());

async function run({ args, environment, input }) {
  const said = { stdout: "", stderr: "" };
  give("argv", [process.execPath, MAIN.pathname, ...args]);
  give("env", environment);
  give("stdin", Readable.from(input.length === 0 ? [] : [Buffer.from(input)], { objectMode: false }));
  for (const name of ["stdout", "stderr"]) give(name, listener(said, name));
  process.exitCode = undefined;
  const left = new Promise((resolve) => {
    give("exit", (code) => {
      process.exitCode = code ?? process.exitCode;
      resolve();
    });
  });
  await Promise.race([left, import(`${MAIN.href}?run=${runs++}`)]);
  // The next command hears only those that are meant for it.
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  return { code: process.exitCode ?? 0, ...said };
}

function give(name, value) {
  Object.defineProperty(process, name, { value, configurable: true, writable: true });
}

function listener(said, name) {
  return new Writable({
    decodeStrings: false,
    write: (text, _, done) => {
      said[name] += text.toString();
      done();
    },
  });
}
