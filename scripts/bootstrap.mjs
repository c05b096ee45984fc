/**
 * From a bare clone to a running command: checks Node, installs the dependencies if they are not what the lockfile says,
 * then runs the command in this same process, so that signals, exit code and standard streams are the command's own.
 * Plain Node, because nothing else is there yet. Its own words go to stderr: stdout belongs to the command.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

const COMMANDS = {
  demo: (args) => runSource("src/cli/main.ts", ["demo", ...args]),
  cli: (args) => runSource("src/cli/main.ts", args),
  bench: async (args) => {
    compile("bench");
    await runScript(".bench/bench/main.js", args);
  },
  chaos: (args) => runSource("test/chaos/main.ts", args),
  soak: (args) => runSource("test/soak/main.ts", args),
  simulate: (args) => runSource("test/simulation/main.ts", args),
  test: (args) => runScript("node_modules/vitest/vitest.mjs", ["run", ...args]),
  check: (args) => runScript("scripts/check.mjs", args),
};

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, name)) {
  fail(`scripts/bootstrap.mjs: "${name}" is not a command; these are: ${Object.keys(COMMANDS).join(", ")}.`);
}
requireNode();
installDependencies();
await COMMANDS[name](args);

function requireNode() {
  const { engines } = readJson("package.json");
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [nodeMajor, nodeMinor] = process.versions.node.split(".").map(Number);
  if (nodeMajor > major || (nodeMajor === major && nodeMinor >= minor)) return;
  fail(`Gatehouse needs Node ${major}.${minor} or newer; this is ${process.version}. Get one from https://nodejs.org`);
}

function installDependencies() {
  if (dependenciesMatchLockfile()) return;
  process.stderr.write("Installing dependencies (npm ci) …\n");
  const startedAt = performance.now();
  const { status } = spawnSync(
    "npm",
    // The level is named because .npmrc's hides why an install failed; development dependencies because NODE_ENV may say
    // otherwise and every command needs them. No dependency needs its install script.
    ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: root, stdio: ["ignore", process.stderr.fd, process.stderr.fd], shell: process.platform === "win32" },
  );
  if (status !== 0) fail("npm ci failed: what it said is above. Is npm on the PATH, and can it reach its registry?");
  process.stderr.write(`Installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.\n`);
}

/** Compares npm's own note of what it installed, so that an `npm install` by hand counts too. */
function dependenciesMatchLockfile() {
  let installed;
  try {
    installed = readJson("node_modules/.package-lock.json").packages;
  } catch {
    return false;
  }
  return Object.entries(readJson("package-lock.json").packages).every(
    ([path, { integrity, optional }]) =>
      // Optional: other platforms' binaries.
      path === "" || (optional && !(path in installed)) || installed[path]?.integrity === integrity,
  );
}

/** What is measured runs as it does where it is installed: compiled. */
function compile(what) {
  process.stderr.write("Compiling …\n");
  const stdio = ["ignore", process.stderr.fd, process.stderr.fd];
  const { status } = spawnSync(process.execPath, ["scripts/build.mjs", what], { cwd: root, stdio });
  if (status !== 0) fail("It did not compile: what the compiler said is above.");
}

async function runSource(file, args) {
  const tsx = import.meta.resolve("tsx");
  await import(tsx);
  // Processes that the command forks inherit these.
  process.execArgv.push("--import", tsx);
  await runScript(file, args);
}

async function runScript(file, args) {
  const script = new URL(file, root);
  process.argv.splice(1, process.argv.length, fileURLToPath(script), ...args);
  await import(script.href);
}

function readJson(file) {
  return JSON.parse(readFileSync(new URL(file, root), "utf8"));
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
