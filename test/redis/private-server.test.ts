import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectStore } from "../../src/redis/connection.js";
import { findPrivateRedis, startPrivateRedis, type PrivateRedis } from "../../src/redis/private-server.js";

let home: string;
const servers: PrivateRedis[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "private-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await rm(home, { recursive: true, force: true });
});

async function started(...[options]: Parameters<typeof startPrivateRedis>): Promise<PrivateRedis> {
  const server = await startPrivateRedis(options);
  servers.push(server);
  return server;
}

async function ask(server: { url: string }, command: string, ...args: string[]): Promise<unknown> {
  const redis = await connectStore(server.url);
  try {
    return await redis.call(command, args);
  } finally {
    redis.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a private server", () => {
  test("says only what is on disk, and evicts nothing", async () => {
    const server = await started();
    for (const [setting, value] of [
      ["appendonly", "yes"],
      ["appendfsync", "always"],
      ["maxmemory-policy", "noeviction"],
      ["save", ""],
    ] as const) {
      expect(await ask(server, "CONFIG", "GET", setting)).toEqual([setting, value]);
    }
  });

  test("tells the disk once a second where that is asked for", async () => {
    const server = await started({ fsync: "everysec" });
    expect(await ask(server, "CONFIG", "GET", "appendfsync")).toEqual(["appendfsync", "everysec"]);
  });

  test("listens on a socket and on no port", async () => {
    const server = await started();
    expect(server.url).toMatch(/^unix:\/\/\/.+\/redis\.sock$/);
    expect(await ask(server, "CONFIG", "GET", "port")).toEqual(["port", "0"]);
  });

  test("listens on the port it is told to", async () => {
    const port = await unusedPort();
    const server = await started({ port });
    expect(server.url).toBe(`redis://127.0.0.1:${port}`);
    expect(await ask(server, "PING")).toBe("PONG");
  });

  test("listens on a free port where the socket's path would be longer than the kernel takes", async () => {
    const server = await started({ directory: join(home, "d".repeat(120)) });
    expect(server.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    expect(await findPrivateRedis(server.directory)).toMatchObject({ url: server.url, pid: server.pid });
  });

  test("lives in a directory with any name", async () => {
    const server = await started({ directory: join(home, `a "quoted" naïve #1 directory\\`) });
    expect(await ask(server, "PING")).toBe("PONG");
  });

  test("ends when it is told to, and leaves nothing behind", async () => {
    const server = await started();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.directory)).toBe(false);
  });

  test("ends when it is told to although it is paused", async () => {
    const server = await started();
    process.kill(server.pid, "SIGSTOP");
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  test("keeps a named directory and what was written there", async () => {
    const first = await started({ directory: home });
    await ask(first, "SET", "door", "open");
    await first.stop();
    const second = await started({ directory: home });
    expect(await ask(second, "GET", "door")).toBe("open");
  });

  test("keeps what it acknowledged when it is killed", async () => {
    const first = await started({ directory: home });
    await ask(first, "SET", "door", "open");
    process.kill(first.pid, "SIGKILL");
    await first.stop();
    const second = await started({ directory: home });
    expect(await ask(second, "GET", "door")).toBe("open");
  });
});

describe("one server a directory", () => {
  test("is found from anywhere while it runs", async () => {
    expect(await findPrivateRedis(home)).toBeUndefined();
    const server = await started({ directory: home });
    expect(await findPrivateRedis(home)).toEqual({ url: server.url, pid: server.pid, directory: server.directory });
    await server.stop();
    expect(await findPrivateRedis(home)).toBeUndefined();
  });

  test("a directory that does not exist has none", async () => {
    expect(await findPrivateRedis(join(home, "missing"))).toBeUndefined();
  });

  test("a second command uses the first one's server, and does not end it", async () => {
    const first = await started({ directory: home });
    const second = await started({ directory: home });
    expect(second.pid).toBe(first.pid);
    await second.stop();
    expect(await ask(first, "PING")).toBe("PONG");
  });

  test("commands that start at once end up with one server", async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => started({ directory: home })));
    expect(new Set(all.map((server) => server.pid)).size).toBe(1);
  });

  test("a lock that a dead process left behind holds nobody up", async () => {
    const dead = spawn("true");
    await once(dead, "exit");
    await writeFile(join(home, "redis.lock"), String(dead.pid));
    expect(await ask(await started({ directory: home }), "PING")).toBe("PONG");
  });
});

describe("the server ends with the process that started it", () => {
  const program = `
    import { startPrivateRedis } from ${JSON.stringify(new URL("../../src/redis/private-server.ts", import.meta.url).href)};
    const { pid, directory } = await startPrivateRedis();
    process.stdout.write(JSON.stringify({ pid, directory }));
    if (process.argv[1] === "stay") setInterval(() => {}, 1000);
  `;

  async function run(argument: "stay" | "leave", signal?: NodeJS.Signals) {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program, argument], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [text] = (await once(child.stdout, "data")) as [Buffer];
    const exited = once(child, "exit");
    if (signal !== undefined) child.kill(signal);
    const [code] = (await exited) as [number | null];
    return { code, server: JSON.parse(text.toString()) as { pid: number; directory: string } };
  }

  test.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)("by %s", async (signal) => {
    const { server } = await run("stay", signal);
    await vi.waitFor(() => {
      expect(isAlive(server.pid)).toBe(false);
      expect(existsSync(server.directory)).toBe(false);
    }, 5_000);
  });

  test("by having nothing left to do, which the server does not prevent", async () => {
    const { code, server } = await run("leave");
    expect(code).toBe(0);
    await vi.waitFor(() => expect(isAlive(server.pid)).toBe(false), 5_000);
  });
});

describe("what is wrong is said, with what to do", () => {
  async function withServer(script: string): Promise<void> {
    const bin = join(home, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "redis-server"), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, "redis-server"), 0o755);
    vi.stubEnv("PATH", bin);
  }

  test("no server on the PATH, and no way to install one: three ways out", async () => {
    vi.stubEnv("PATH", home);
    await expect(startPrivateRedis()).rejects.toMatchObject({
      code: "redis.missing",
      fix: expect.stringMatching(/REDIS_URL[^]*redis-server or valkey-server[^]*docker compose up/) as string,
    });
  });

  test("a server older than 7.0", async () => {
    await withServer('echo "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"');
    await expect(startPrivateRedis()).rejects.toMatchObject({
      code: "redis.too_old",
      message: expect.stringMatching(/needs Redis 7\.0 or newer, and found \S+\/redis-server 6\.2\.14/) as string,
    });
  });

  test("a port that is taken: the server's own words, and nothing left behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    taken.on("connection", (socket) => socket.destroy());
    try {
      const { port } = taken.address() as AddressInfo;
      await expect(startPrivateRedis({ port, directory: home })).rejects.toMatchObject({
        code: "redis.start_failed",
      });
      expect(await readdir(home)).not.toContain("redis.lock");
    } finally {
      taken.close();
    }
  });

  test("a port on which another Redis answers is not mistaken for ours", async () => {
    const other = await started({ port: await unusedPort() });
    const port = Number(new URL(other.url).port);
    await expect(startPrivateRedis({ port, directory: home })).rejects.toMatchObject({
      code: "redis.start_failed",
      message: expect.stringContaining("Address already in use") as string,
    });
  });

  test("a damaged append-only file: the server's own words", async () => {
    const first = await started({ directory: home });
    await first.stop();
    const files = join(home, "appendonlydir");
    for (const name of await readdir(files)) await writeFile(join(files, name), "damaged\n");
    await expect(startPrivateRedis({ directory: home })).rejects.toMatchObject({
      code: "redis.start_failed",
      message: expect.stringContaining("manifest") as string,
    });
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
