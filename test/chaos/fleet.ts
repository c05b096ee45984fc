/** The processes of a run: a Redis, workers and APIs behind links that can fail, each known by its id and ended with the run. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { programOf } from "../support/built.js";
import { freePort } from "../support/free-ports.js";
import { TcpProxy } from "./tcp-proxy.js";

const RESTART_MS = 500;

/**
 * Ends what is still there when the pipe on its stdin closes, which the kernel sees to however the process at the other end dies. Each line
 * names all processes of that moment, so an id that was given to somebody else by now is no longer among them.
 */
const GUARDIAN = 'pids=; while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids 2>/dev/null';

export type Kind = "worker" | "api" | "archiver";

/** What a process of each kind runs. */
const PROGRAMS: Record<Kind, readonly string[]> = {
  worker: programOf("workers/main"),
  api: [...programOf("src/cli/main"), "serve"],
  archiver: [...programOf("src/cli/main"), "archive", "run"],
};

export interface FleetSize {
  readonly workers: number;
  readonly apis: number;
  /** Archives the journals on and on; absent: nobody does. */
  readonly archiver?: { readonly arguments: readonly string[] };
}

export interface FleetOptions {
  readonly directory: string;
  readonly size: FleetSize;
  readonly environment: Readonly<Record<string, string>>;
  /** What has to be there before anything but Redis starts. */
  readonly prepare?: (redisUrl: string) => Promise<void>;
  /** Gets what stops it, before anything was waited for. */
  readonly ends: (() => Promise<unknown> | void)[];
}

/** One process, and the next one in its place when it dies. */
export class Member {
  #process: ChildProcess | undefined;
  #isOver = false;
  /** Times that it was started. */
  starts = 0;

  constructor(
    readonly name: string,
    readonly kind: Kind,
    /** Of an API. */
    readonly port: number,
    readonly metricsPort: number,
    private readonly programArguments: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
    private readonly logFile: string,
    private readonly onChange: () => void,
  ) {}

  /** Of the process that runs now. */
  get pid(): number | undefined {
    const child = this.#process;
    return child === undefined || child.exitCode !== null || child.signalCode !== null ? undefined : child.pid;
  }

  start(): void {
    if (this.#isOver) return;
    this.starts++;
    const program = [...PROGRAMS[this.kind], ...this.programArguments];
    const log = createWriteStream(this.logFile, { flags: "a" });
    const child = spawn(process.execPath, program, {
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "pipe", "pipe"],
      // Ctrl-C in a terminal is for the run, which ends its processes itself.
      detached: true,
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("exit", () => {
      log.end();
      this.onChange();
      if (!this.#isOver) setTimeout(() => this.start(), RESTART_MS);
    });
    this.#process = child;
    this.onChange();
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

export class Fleet {
  readonly members: Member[] = [];
  readonly #guardian = spawn("sh", ["-c", GUARDIAN], { detached: true, stdio: ["pipe", "ignore", "ignore"] });

  private constructor(
    readonly directory: string,
    readonly redisPort: number,
    private redis: PrivateRedis,
    readonly links: Readonly<Record<Exclude<Kind, "archiver">, TcpProxy>>,
  ) {}

  static async start({ directory, size, environment, prepare, ends }: FleetOptions): Promise<Fleet> {
    const redisPort = await freePort();
    const redis = await startPrivateRedis({ directory: join(directory, "redis"), port: redisPort });
    const links = { worker: await TcpProxy.start(() => redisPort), api: await TcpProxy.start(() => redisPort) };
    const fleet = new Fleet(directory, redisPort, redis, links);
    ends.push(async () => fleet.stop());
    fleet.#guardian.unref();
    fleet.#guardian.stdin.on("error", () => undefined);
    await prepare?.(fleet.redisUrl);
    const tellGuardian = (): void => {
      fleet.#guardian.stdin.write(`${fleet.members.flatMap(({ pid }) => pid ?? []).join(" ")}\n`);
    };
    const add = async (kind: Kind, n: number, programArguments: readonly string[] = []): Promise<void> => {
      const name = `${kind}-${n}`;
      const port = kind === "api" ? await freePort() : 0;
      const metricsPort = kind === "archiver" ? 0 : await freePort();
      const settings = {
        ...environment,
        REDIS_URL: kind === "archiver" ? fleet.redisUrl : `redis://127.0.0.1:${links[kind].port}`,
        GATEHOUSE_DIRECTORY: directory,
        ...(kind !== "archiver" && { GATEHOUSE_METRICS_PORT: String(metricsPort) }),
        ...(kind === "api" && { GATEHOUSE_PORT: String(port) }),
      };
      const log = join(directory, `${name}.log`);
      fleet.members.push(new Member(name, kind, port, metricsPort, programArguments, settings, log, tellGuardian));
    };
    for (let n = 1; n <= size.workers; n++) await add("worker", n);
    for (let n = 1; n <= size.apis; n++) await add("api", n);
    if (size.archiver !== undefined) await add("archiver", 1, size.archiver.arguments);
    for (const member of fleet.members) member.start();
    await fleet.untilUp();
    return fleet;
  }

  get redisPid(): number {
    return this.redis.pid;
  }

  /** For whoever is to see everything: no link in between. */
  get redisUrl(): string {
    return `redis://127.0.0.1:${this.redisPort}`;
  }

  of(kind: Kind): readonly Member[] {
    return this.members.filter((member) => member.kind === kind);
  }

  get apiUrls(): readonly string[] {
    return this.of("api").map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** Dies without a word, and comes back on its files, once something was done to them. */
  async killRedis<T>(meanwhile?: (directory: string) => Promise<T>): Promise<T | undefined> {
    process.kill(this.redis.pid, "SIGKILL");
    await this.redis.stop();
    const done = await meanwhile?.(this.redis.directory);
    for (let tries = 0; ; tries++) {
      try {
        this.redis = await startPrivateRedis({ directory: join(this.directory, "redis"), port: this.redisPort });
        return done;
      } catch (error) {
        if (tries >= 10) throw error;
        await delay(RESTART_MS);
      }
    }
  }

  async untilUp(): Promise<void> {
    const givesUpAt = Date.now() + 60_000;
    for (const url of this.apiUrls) {
      while (!(await isUp(url))) {
        if (Date.now() > givesUpAt) throw new Error(`${url} does not come up; see the logs in ${this.directory}`);
        await delay(100);
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(async (member) => member.stop()));
    this.#guardian.stdin.end();
    await this.redis.stop();
  }
}

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
