/** The processes of a chaos run: a Redis, workers and APIs behind links that can fail, each known by its id and ended with the run. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { TcpProxy } from "./tcp-proxy.js";

const TSX = import.meta.resolve("tsx");
const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const RESTART_MS = 500;

export type Kind = "worker" | "api";

/** One process, and the next one in its place when it dies. */
export class Member {
  #process: ChildProcess | undefined;
  #isOver = false;
  /** Times that it was started. */
  starts = 0;

  constructor(
    readonly name: string,
    readonly kind: Kind,
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly logFile: string,
  ) {}

  start(): void {
    if (this.#isOver) return;
    this.starts++;
    const program = this.kind === "worker" ? [source("workers/main.ts")] : [source("src/cli/main.ts"), "serve"];
    const log = createWriteStream(this.logFile, { flags: "a" });
    const child = spawn(process.execPath, ["--import", TSX, ...program], {
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("exit", () => {
      log.end();
      if (!this.#isOver) setTimeout(() => this.start(), RESTART_MS);
    });
    this.#process = child;
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** At once, with nobody waiting. */
  kill(): void {
    this.#isOver = true;
    this.signal("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await ended;
  }
}

export class Fleet {
  readonly members: Member[] = [];

  private constructor(
    readonly directory: string,
    readonly redisPort: number,
    private redis: PrivateRedis,
    readonly links: Readonly<Record<Kind, TcpProxy>>,
  ) {}

  static async start(
    directory: string,
    { workers, apis }: { readonly workers: number; readonly apis: number },
    environment: Readonly<Record<string, string>>,
  ): Promise<Fleet> {
    const redisPort = await freePort();
    const redis = await startPrivateRedis({ directory: join(directory, "redis"), port: redisPort });
    const links = { worker: await TcpProxy.start(() => redisPort), api: await TcpProxy.start(() => redisPort) };
    const fleet = new Fleet(directory, redisPort, redis, links);
    // However the run ends, none of its processes outlives it.
    process.once("exit", () => fleet.members.forEach((member) => member.kill()));
    const add = async (kind: Kind, n: number): Promise<void> => {
      const name = `${kind}-${n}`;
      const port = kind === "api" ? await freePort() : 0;
      const settings = {
        ...environment,
        REDIS_URL: `redis://127.0.0.1:${links[kind].port}`,
        GATEHOUSE_DIRECTORY: directory,
        ...(kind === "api" && { GATEHOUSE_PORT: String(port) }),
      };
      fleet.members.push(new Member(name, kind, port, settings, join(directory, `${name}.log`)));
    };
    for (let n = 1; n <= workers; n++) await add("worker", n);
    for (let n = 1; n <= apis; n++) await add("api", n);
    for (const member of fleet.members) member.start();
    await fleet.untilUp();
    return fleet;
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

  /** Dies without a word, and comes back on its files. */
  async killRedis(): Promise<void> {
    process.kill(this.redis.pid, "SIGKILL");
    await this.redis.stop();
    for (let tries = 0; ; tries++) {
      try {
        this.redis = await startPrivateRedis({ directory: join(this.directory, "redis"), port: this.redisPort });
        return;
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
    await this.redis.stop();
  }
}

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
