/**
 * Servers that belong together, for tests that need more than one: a cluster of three primaries with a replica each, or a primary and a
 * replica behind three sentinels. All on loopback, each in a directory of its own, and none outlives this process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { findOrInstallServer } from "../../src/redis/server-binary.js";
import { freePorts } from "./free-ports.js";

const POLL_MS = 50;
const PATIENCE_MS = 40_000;
const SLOTS = 16_384;
/** Where a node's bus listens, above its port. */
const BUS = 10_000;
const NODE_TIMEOUT_MS = 1_500;

/** Ends its server when the pipe on stdin closes, however the process at its other end dies. */
const GUARDIAN = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
echo "$server"
{ read -r _ <&3; kill -KILL "$server"; } 2>/dev/null & watch=$!
wait "$server"
kill "$watch" 2>/dev/null
`;

// A replica that has lost its place waits for nobody else.
const SAFE = [
  "repl-diskless-sync-delay 0",
  "appendonly yes",
  "appendfsync always",
  'save ""',
  "maxmemory-policy noeviction",
];

export class Server {
  private guardian: ChildProcess | undefined;
  private pid = 0;
  /** A connection for the test's own questions. */
  readonly redis: Redis;

  constructor(
    private readonly program: string,
    private readonly directory: string,
    readonly port: number,
    private readonly settings: readonly string[],
    private readonly mode: readonly string[] = [],
  ) {
    this.redis = new Redis({
      port,
      host: "127.0.0.1",
      lazyConnect: true,
      replyMapping: "legacy",
      retryStrategy: () => POLL_MS,
    });
    this.redis.on("error", () => undefined);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const file = join(this.directory, "redis.conf");
    // A sentinel and a cluster's node write what they learnt.
    if ((await readFile(file, "utf8").catch(() => "")) === "") {
      const own = [`dir ${JSON.stringify(this.directory)}`, `port ${this.port}`, "bind 127.0.0.1", 'logfile "log"'];
      await writeFile(file, [...own, ...this.settings, ""].join("\n"));
    }
    this.guardian = spawn("sh", ["-c", GUARDIAN, "sh", this.program, file, ...this.mode], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const [said] = (await once(this.guardian.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    this.pid = Number(said);
    await until(async () => (await this.redis.ping()) === "PONG");
  }

  /** `SIGKILL`, `SIGSTOP` or `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async kill(): Promise<void> {
    const { guardian } = this;
    if (guardian === undefined || guardian.exitCode !== null) return;
    const ended = once(guardian, "exit");
    this.signal("SIGKILL");
    await ended;
  }

  async throwDataAway(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    await this.kill();
  }
}

export interface RedisCluster {
  /** Each of the three, with its replica. */
  readonly shards: readonly Shard[];
  readonly servers: readonly Server[];
  /** As REDIS_CLUSTER has them. */
  readonly addresses: readonly string[];
  /** Resolves when every slot is served and every node agrees. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

export interface Shard {
  readonly primary: Server;
  readonly replica: Server;
}

export async function startCluster(): Promise<RedisCluster> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-cluster-"));
  const program = await findOrInstallServer(() => undefined);
  const settings = [
    ...SAFE,
    "cluster-enabled yes",
    `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
    "cluster-replica-validity-factor 0",
    "repl-ping-replica-period 1",
  ];
  const ports = await freePorts(6, BUS);
  const servers = ports.map((port) => new Server(program, join(directory, String(port)), port, settings));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(directory, { recursive: true, force: true });
  };
  const whole = async (): Promise<void> => {
    await until(async () =>
      (await Promise.all(servers.map(({ redis }) => redis.cluster("INFO")))).every(
        (info) => info.includes("cluster_state:ok") && info.includes(`cluster_slots_ok:${SLOTS}`),
      ),
    );
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
    const [first, ...others] = servers as [Server, ...Server[]];
    for (const [n, { redis }] of servers.entries()) await redis.cluster("SET-CONFIG-EPOCH", n + 1);
    for (const { port } of others) await first.redis.cluster("MEET", "127.0.0.1", port);
    const shards = [0, 1, 2].map((n) => ({ primary: servers[n] as Server, replica: servers[n + 3] as Server }));
    for (const [n, { primary }] of shards.entries()) {
      const [from, to] = [Math.round((n * SLOTS) / 3), Math.round(((n + 1) * SLOTS) / 3) - 1];
      await primary.redis.call("CLUSTER", ["ADDSLOTSRANGE", from, to]);
    }
    for (const { primary, replica } of shards) {
      const id = String(await primary.redis.cluster("MYID"));
      await until(async () => (await replica.redis.call("CLUSTER", ["REPLICATE", id])) === "OK");
    }
    await whole();
    for (const { primary } of shards)
      await until(async () => /state=online/.test(await primary.redis.info("replication")));
    return { shards, servers, addresses: servers.map(({ url }) => url), whole, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface Sentinels {
  readonly primary: Server;
  readonly replica: Server;
  /** In the order in which they are asked. */
  readonly sentinels: readonly Server[];
  /** As REDIS_SENTINEL has them. */
  readonly addresses: readonly string[];
  readonly master: string;
  /** Who is the primary now, and who would be next. */
  roles(): Promise<[Server, Server]>;
  stop(): Promise<void>;
}

export async function startSentinels(): Promise<Sentinels> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-sentinel-"));
  const program = await findOrInstallServer(() => undefined);
  const master = "gatehouse-test";
  const [primaryPort = 0, replicaPort = 0, ...sentinelPorts] = await freePorts(5);
  const at = (port: number): string => join(directory, String(port));
  const primary = new Server(program, at(primaryPort), primaryPort, SAFE);
  const replica = new Server(program, at(replicaPort), replicaPort, [...SAFE, `replicaof 127.0.0.1 ${primaryPort}`]);
  const sentinels = sentinelPorts.map(
    (port) =>
      new Server(
        program,
        at(port),
        port,
        [
          `sentinel monitor ${master} 127.0.0.1 ${primaryPort} 2`,
          `sentinel down-after-milliseconds ${master} ${NODE_TIMEOUT_MS}`,
          `sentinel failover-timeout ${master} 5000`,
        ],
        ["--sentinel"],
      ),
  );
  const servers = [primary, replica, ...sentinels];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await primary.start();
    await replica.start();
    await until(async () => /state=online/.test(await primary.redis.info("replication")));
    await Promise.all(sentinels.map((sentinel) => sentinel.start()));
    for (const { redis } of sentinels)
      await until(async () => /slaves=1,sentinels=3/.test(await redis.info("sentinel")));
    const roles = async (): Promise<[Server, Server]> =>
      /role:master/.test(await primary.redis.info("replication")) ? [primary, replica] : [replica, primary];
    return { primary, replica, sentinels, addresses: sentinels.map(({ url }) => url), master, roles, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asked again until it is so; what fails meanwhile is asked again, too. */
export async function until(look: () => Promise<boolean>): Promise<void> {
  const givesUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    let reason: unknown;
    try {
      if (await look()) return;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > givesUpAt) throw new Error("it did not come to be", { cause: reason });
    await delay(POLL_MS);
  }
}
