/** The API as its operator meets it: started by a command, with keys made by a command, and stopped without cutting anybody off. */
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let environment: Record<string, string>;
const run = (...args: string[]) => runCli(args, { directory: home.path, environment });

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  environment = { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "0123456789abcdef0123456789abcdef", GATEHOUSE_PORT: "0" };
});
afterEach(async () => {
  await redis.stop();
  await home.remove();
});

async function serve(): Promise<{ readonly cli: Cli; readonly url: string }> {
  const cli = new Cli(["serve"], { directory: home.path, environment });
  const [, url = ""] = await cli.says(/listens on (http:\S+),/, "stdout");
  return { cli, url };
}

const ask = async (url: string, key: string, path: string) =>
  fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });

describe("gatehouse serve", () => {
  test("answers whoever has a key, until the key is revoked", async () => {
    const { cli, url } = await serve();
    const { stdout } = await run("keys", "create", "--name", "backend", "--scope", "decide", "--json");
    const { key, id } = JSON.parse(stdout) as { key: string; id: string };
    const answer = await ask(url, key, "/v1/decision?device=phone-17&user=adele");
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { decision: "deny", reasons: ["session.unknown"] },
    ]);
    expect((await run("keys", "list")).stdout).toMatch(new RegExp(`${id}.*valid.*decide.*backend`));
    expect((await run("keys", "list", "--json")).stdout).not.toContain(key.split("_").slice(2).join("_"));
    expect((await run("keys", "revoke", id)).code).toBe(0);
    await expect
      .poll(async () => (await ask(url, key, "/v1/decision?device=phone-17&user=adele")).status, { timeout: 5_000 })
      .toBe(401);
    expect((await cli.stop()).code).toBe(0);
  });

  test("SIGTERM ends open streams and the process, and its log names no key", async () => {
    const { cli, url } = await serve();
    const key = (await run("keys", "create", "--name", "x", "--scope", "operate")).stdout.trim();
    const stream = await ask(url, key, "/v1/stream");
    expect(stream.status).toBe(200);
    const ended = stream.text();
    const { code, stderr } = await cli.stop();
    expect([code, await ended]).toEqual([0, expect.stringContaining(": follows")]);
    expect(stderr).not.toContain(key);
  });

  test("a port that is taken is named, with what to set", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    environment["GATEHOUSE_PORT"] = String(port);
    const { code, stderr } = await run("serve");
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`${port}[\\s\\S]*GATEHOUSE_PORT`))]);
    other.close();
  });

  test("without a secret key, on a Redis of somebody's, it does not start", async () => {
    const { GATEHOUSE_SECRET_KEY: _, ...others } = environment;
    environment = others;
    expect(await run("serve")).toMatchObject({ code: 2, stderr: expect.stringContaining("GATEHOUSE_SECRET_KEY") });
  });

  test("with another secret key than the deployment's it does not start", async () => {
    await run("keys", "create", "--name", "x", "--scope", "emit");
    environment["GATEHOUSE_SECRET_KEY"] = "another-secret-another-secret-another";
    const { code, stderr } = await run("serve");
    expect([code, stderr]).toEqual([2, expect.stringContaining("another one than that")]);
  });
});

describe("gatehouse keys", () => {
  test.each([
    [["keys", "create", "--scope", "emit"], 2, "--name"],
    [["keys", "create", "--name", "x"], 2, "--scope"],
    [["keys", "create", "--name", "x", "--scope", "everything"], 2, "emit, decide, operate, admin"],
    [["keys", "create", "--name", "x", "--scope", "emit", "--tenant", "a b"], 2, "letters, digits"],
    [["keys", "revoke", "nonsense"], 4, "keys list"],
  ])("%j: exit %i, and what to do", async (args, code, words) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(words) });
  });
});
