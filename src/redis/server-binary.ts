/** Finds the program that a private Redis runs on, and installs it where that can be done without asking anybody. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { GatehouseError } from "../errors.js";
import { OLDEST_REDIS, isNewEnough } from "./version.js";

const run = promisify(execFile);

const SERVERS = ["redis-server", "valkey-server"];
const APT_OUTPUT_BYTES = 16 * 1024 * 1024;

const WAYS_OUT = [
  "Set REDIS_URL to a Redis that runs already (redis://host:6379/0 or unix:///path/to/socket).",
  "Or put redis-server or valkey-server on the PATH (macOS: brew install redis; Debian, Ubuntu: apt-get install " +
    "redis-server, which this command does by itself when it runs as root).",
  "Or run `docker compose up --detach redis` and set REDIS_URL=redis://127.0.0.1:6379.",
];

/** No server to run: there is none on the PATH, and none could be installed. */
export class RedisMissingError extends GatehouseError {
  readonly code = "redis.missing";
  readonly retryable = false;

  constructor(reason: string, cause?: unknown) {
    super(`Gatehouse needs Redis ${OLDEST_REDIS} or newer, and ${reason}`, { cause, fix: WAYS_OUT.join("\n") });
  }
}

/** The only servers on the PATH are older than Gatehouse's scripts can run on. */
export class RedisTooOldError extends GatehouseError {
  readonly code = "redis.too_old";
  readonly retryable = false;

  constructor(found: string) {
    super(`Gatehouse needs Redis ${OLDEST_REDIS} or newer, and found ${found}`, { fix: WAYS_OUT.join("\n") });
  }
}

/**
 * The path of a `redis-server` or `valkey-server` that is new enough. On Debian and Ubuntu, as root, one is installed
 * if there is none; `log` hears of it, a line at a time.
 * @throws RedisMissingError
 * @throws RedisTooOldError
 */
export async function findOrInstallServer(log: (line: string) => void): Promise<string> {
  const found = await findServer();
  if (found !== undefined) return found;

  const aptGet = await onPath("apt-get");
  if (aptGet === undefined || process.getuid?.() !== 0) throw new RedisMissingError("there is none on the PATH.");
  log("No redis-server on the PATH: installing Debian's package with apt-get (as root) …");
  try {
    await installWithApt(aptGet);
  } catch (error) {
    throw new RedisMissingError(`apt-get could not install it: ${lastLines(error)}`, error);
  }
  const installed = await findServer();
  if (installed === undefined) throw new RedisMissingError("apt-get installed none that is on the PATH.");
  log(`Installed ${installed}.`);
  return installed;
}

/** @throws RedisTooOldError if there are servers, and each is too old */
async function findServer(): Promise<string | undefined> {
  const tooOld: string[] = [];
  for (const name of SERVERS) {
    const path = await onPath(name);
    if (path === undefined) continue;
    const version = await versionOf(path);
    if (isNewEnough(version)) return path;
    tooOld.push(`${path} ${version}`);
  }
  if (tooOld.length > 0) throw new RedisTooOldError(tooOld.join(" and "));
  return undefined;
}

async function onPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (directory === "") continue;
    const path = join(directory, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next directory.
    }
  }
  return undefined;
}

/** `7.0.15`, or `of unknown version` where the program does not say. */
async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ["--version"]).catch(() => ({ stdout: "" }));
  return /\bv=(\d+\.\d+[.\d]*)/.exec(stdout)?.[1] ?? "of unknown version";
}

async function installWithApt(aptGet: string): Promise<void> {
  const options = {
    maxBuffer: APT_OUTPUT_BYTES,
    // The package starts a service on port 6379. Its init script stays silent in run level 1.
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  };
  // A bare image has no package lists.
  await run(aptGet, ["update"], options);
  await run(aptGet, ["install", "--yes", "--no-install-recommends", "redis-server"], options);
  // systemd does not ask for the run level. Where it does not run, there is nothing to stop.
  await run("systemctl", ["disable", "--now", "redis-server.service"]).catch(() => undefined);
}

function lastLines(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return stderr === "" ? String(error) : stderr.split("\n").slice(-3).join(" ");
}
