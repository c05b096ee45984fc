/**
 * A Redis of our own, for one command, one test run or one working copy: nobody has to start a server by hand, and no
 * server that belongs to somebody else is touched.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readFile, realpath, rm, writeFile, type FileHandle } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { GatehouseError } from "../errors.js";
import { connectStore } from "./connection.js";
import { findOrInstallServer } from "./server-binary.js";
import { dropTornTransaction } from "./torn-transaction.js";

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 20;
const LOG_BYTES = 64 * 1024;
/** The kernel's limit on macOS; Linux has 107. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Runs the server until the pipe on stdin closes, which the kernel sees to however the process at its other end dies,
 * SIGKILL included. $1: a directory to remove afterwards, or empty; the rest: the server's command line. The shell
 * waits for its own child, so the pid that it signals is never another process's. SIGCONT: a paused server would keep
 * SIGTERM waiting.
 */
const GUARDIAN = `
temporary=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; kill "$server"; kill -CONT "$server"; } 2>/dev/null & watch=$!
wait "$server"; status=$?
kill "$watch" 2>/dev/null
[ -z "$temporary" ] || rm -rf -- "$temporary"
exit "$status"
`;

/** A server could not be started, or the one that runs in the directory does not answer. */
export class RedisStartError extends GatehouseError {
  readonly code = "redis.start_failed";
  readonly retryable = false;
}

export interface PrivateRedisOptions {
  /** Where its data live; made if missing, and kept. Left out: a temporary one, removed when the server ends. */
  readonly directory?: string;
  /** When Redis tells the disk: `always` (default), before it answers; `everysec`, up to a second later. */
  readonly fsync?: "always" | "everysec";
  /** Listens on this port of 127.0.0.1. Left out: on a unix socket in the directory that only this user can open. */
  readonly port?: number;
  /** Hears, a line at a time, of what takes long or changes the machine. Default: stderr. */
  readonly log?: (line: string) => void;
}

export interface RunningRedis {
  /** `unix:///…/redis.sock` or `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly pid: number;
  /** Absolute. Its `redis.log` holds the server's own words. */
  readonly directory: string;
}

export interface PrivateRedis extends RunningRedis {
  /**
   * Resolves when the server is gone and its data are on disk. Does nothing to a server that another process started.
   * Without this call the server ends with this process, however that ends.
   */
  stop(): Promise<void>;
}

/**
 * A server on its own directory, ready to serve; the one that runs there already, as it is, if another process started
 * one. It keeps an append-only file, refuses writes rather than evict, and never keeps this process alive.
 * @throws RedisMissingError
 * @throws RedisTooOldError
 * @throws RedisStartError
 */
export async function startPrivateRedis(options: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  if (options.directory === undefined) {
    const server = await findOrInstallServer(log);
    const temporary = await realpath(await mkdtemp(join(tmpdir(), "gatehouse-redis-")));
    return start(server, temporary, { ...options, temporary });
  }
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const directory = await realpath(options.directory);
  // Two servers on one append-only file destroy it.
  return withLock(join(directory, "redis.lock"), async () => {
    const running = await findPrivateRedis(directory);
    if (running !== undefined) return { ...running, stop: async () => undefined };
    const server = await findOrInstallServer(log);
    const dropped = await dropTornTransaction(directory);
    if (dropped > 0) log(`The last server in ${directory} was cut short while it wrote: ${dropped} bytes are dropped.`);
    return start(server, directory, options);
  });
}

/**
 * The private server that runs in a directory, whichever process started it.
 * @throws RedisStartError if something listens there and does not answer
 */
export async function findPrivateRedis(directory: string): Promise<RunningRedis | undefined> {
  try {
    const absolute = await realpath(directory);
    const url = await readFile(addressFile(absolute), "utf8");
    const pid = await serverPid(url, absolute);
    return pid === undefined ? undefined : { url, pid, directory: absolute };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function start(
  server: string,
  directory: string,
  { fsync = "always", port, temporary = "" }: PrivateRedisOptions & { readonly temporary?: string },
): Promise<PrivateRedis> {
  const socket = join(directory, "redis.sock");
  const useSocket = port === undefined && Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES;
  const tcpPort = useSocket ? 0 : (port ?? (await freePort()));
  const url = useSocket ? pathToFileURL(socket).href.replace(/^file:/, "unix:") : `redis://127.0.0.1:${tcpPort}`;

  const configuration = configurationFile(directory);
  await writeFile(
    configuration,
    [
      `dir ${JSON.stringify(directory)}`,
      `port ${tcpPort}`,
      "bind 127.0.0.1",
      "protected-mode yes",
      ...(useSocket ? [`unixsocket ${JSON.stringify(socket)}`, "unixsocketperm 700"] : []),
      "appendonly yes",
      `appendfsync ${fsync}`,
      'save ""',
      "maxmemory-policy noeviction",
      "loglevel warning",
      "",
    ].join("\n"),
  );
  const words = await open(join(directory, "redis.log"), "w+");
  try {
    const guardian = spawn("sh", ["-c", GUARDIAN, "sh", temporary, server, configuration], {
      // Its own session: Ctrl-C in a terminal is for the command, which still needs the server to finish its work.
      detached: true,
      stdio: ["pipe", words.fd, words.fd],
    });
    guardian.unref();
    const ended = new Promise<void>((settle) => {
      guardian.once("exit", () => settle());
      guardian.once("error", () => settle());
    });
    try {
      const pid = await untilReady(guardian, url, directory, words);
      await writeFile(addressFile(directory), url);
      return { url, pid, directory, stop: () => stop(guardian, ended, pid) };
    } catch (error) {
      guardian.stdin?.destroy();
      throw error;
    }
  } finally {
    await words.close();
  }
}

async function untilReady(guardian: ChildProcess, url: string, directory: string, words: FileHandle): Promise<number> {
  const givesUpAt = performance.now() + START_TIMEOUT_MS;
  let cause: unknown;
  while (guardian.pid !== undefined && guardian.exitCode === null && performance.now() < givesUpAt) {
    try {
      // Not bounded from within: reading a large append-only file takes its time.
      const pid = await serverPid(url, directory);
      if (pid !== undefined) return pid;
    } catch (error) {
      // A server that is about to give up answers nothing; what it says in the end tells more.
      cause = error;
    }
    await sleep(POLL_MS);
  }
  // By the open handle: a temporary directory may be gone by now.
  const { buffer, bytesRead } = await words.read(Buffer.alloc(LOG_BYTES), 0, LOG_BYTES, 0);
  const lines = buffer.toString("utf8", 0, bytesRead).trim().split("\n").slice(-5);
  throw new RedisStartError(`Redis did not start in ${directory}:\n${lines.join("\n")}`, { cause });
}

async function stop(guardian: ChildProcess, ended: Promise<void>, pid: number): Promise<void> {
  // Awaiting an unreferenced child alone would let the process end first.
  guardian.ref();
  guardian.stdin?.destroy();
  const patience = setTimeout(() => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }, STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(patience);
}

/**
 * The process that serves this directory at `url`; undefined if nothing listens there, or a server with other data (a
 * port that was left may be anybody's). Redis closes its sockets only after its append-only file is written, so
 * another server may then use the directory. Waits while the server reads that file.
 * @throws RedisStartError if something listens and does not answer
 */
async function serverPid(url: string, directory: string): Promise<number | undefined> {
  if (!(await listens(url))) return undefined;
  try {
    const redis = await connectStore(url);
    try {
      const facts = (await redis.info("server")).split("\r\n");
      if (!facts.includes(`config_file:${configurationFile(directory)}`)) return undefined;
      return Number(facts.find((fact) => fact.startsWith("process_id:"))?.slice("process_id:".length));
    } finally {
      redis.disconnect();
    }
  } catch (cause) {
    throw new RedisStartError(`what listens at ${url} does not answer as a Redis`, {
      cause,
      fix: `End it, or use another directory than ${directory}.`,
    });
  }
}

/** Not told by ioredis: after an attempt that fails, its client keeps the process alive for 2 s. */
async function listens(url: string): Promise<boolean> {
  const { protocol, pathname, hostname, port } = new URL(url);
  const socket =
    protocol === "unix:" ? connect(decodeURIComponent(pathname)) : connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ECONNREFUSED")) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

function configurationFile(directory: string): string {
  return join(directory, "redis.conf");
}

/** Written when the server is ready, for other processes to find it. */
function addressFile(directory: string): string {
  return join(directory, "redis.url");
}

/** Runs `work` while no other process does so with the same lock. A lock whose process has died is nobody's. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const givesUpAt = performance.now() + START_TIMEOUT_MS;
  while (!(await tryLock(file))) {
    const holder = Number(await readFile(file, "utf8").catch(() => Number.NaN));
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
    else if (performance.now() > givesUpAt) {
      throw new RedisStartError(`process ${holder} has been starting a Redis for long: it holds ${file}`, {
        fix: `If that process is no Gatehouse command, delete ${file}.`,
      });
    } else await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
