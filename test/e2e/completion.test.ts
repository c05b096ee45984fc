/** The script for bash in a real bash: pressed Tab, with the sessions of a real deployment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { Cli, PROGRAM, temporaryDirectory } from "../support/cli.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: TestRedis;
let environment: Record<string, string>;

beforeAll(async () => {
  home = await temporaryDirectory();
  redis = await startRedis();
  environment = { REDIS_URL: redis.url, GATEHOUSE_PREFIX: redis.prefix, GATEHOUSE_DURABILITY: "D0" };
  await mkdir(join(home.path, "bin"));
  const gatehouse = join(home.path, "bin", "gatehouse");
  await writeFile(gatehouse, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(gatehouse, 0o755);
  await writeFile(join(home.path, "my events.ndjson"), "");
  const { stdout: script } = await runCli(["completion", "bash"], { directory: home.path });
  await writeFile(join(home.path, "completion.bash"), script);
  await (await openDeployment({ redis: redis.url, prefix: redis.prefix })).close();
  const worker = new Cli(["work"], { directory: home.path, environment });
  await worker.says(/worker is up/);
  await runCli(["emit", "samples/streams/first-day.ndjson"], { directory: home.path, environment });
  const dora = {
    specversion: "1.0",
    id: "1",
    source: "app://test",
    type: "account.signedIn",
    subject: "phone-20/dora",
  };
  const input = JSON.stringify({
    ...dora,
    time: new Date().toISOString(),
    data: { platform: "ios", interactive: true },
  });
  await runCli(["emit", "-"], {
    directory: home.path,
    environment: { ...environment, GATEHOUSE_TENANT: "fabrikam" },
    input,
  });
  await vi.waitFor(async () => {
    const { stdout } = await runCli(["stats", "--json", "--interval", "100ms"], { directory: home.path, environment });
    expect(JSON.parse(stdout)).toMatchObject({ sessions: { total: 4 }, backlog: { events: 0 } });
  }, 20_000);
  await worker.stop();
});
afterAll(async () => {
  await redis.stop();
  await home.remove();
});

/** Presses Tab: bash's own variables are set as readline sets them, and the function that `complete` names is called. */
async function tab(words: readonly string[], changes: Record<string, string> = {}, before = "") {
  const script = `
    source completion.bash
    ${before}
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    spec=$(complete -p gatehouse)
    [[ $spec =~ -F\\ ([^ ]+) ]] && "\${BASH_REMATCH[1]}" "$1" "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { PATH = "", ...inherited } = process.env;
  const bash = spawn("bash", ["--norc", "-c", script, "bash", ...words], {
    cwd: home.path,
    env: {
      ...inherited,
      PATH: `${join(home.path, "bin")}:${PATH}`,
      GATEHOUSE_DIRECTORY: home.path,
      ...environment,
      ...changes,
    },
  });
  let [stdout, stderr] = ["", ""];
  bash.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  bash.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(bash, "close");
  return { offered: stdout.split("\n").filter((line) => line !== ""), stderr };
}

describe("bash", () => {
  test.each([
    [["gatehouse", "quarantine", "re"], ["redrive"]],
    [["gatehouse", "tail", "--state", "=", "sig"], ["signedOut"]],
    [
      ["gatehouse", "history", ""],
      ["phone-17/adele", "phone-18/bruno", "phone-19/carla"],
    ],
    [["gatehouse", "why", "phone-18/"], ["phone-18/bruno"]],
    [["gatehouse", "emit", "my"], ["my events.ndjson"]],
  ])("%j → %j", async (words, expected) => {
    expect(await tab(words)).toEqual({ offered: expected, stderr: "" });
  });

  test("for an alias it runs what the alias stands for", async () => {
    const alias = "alias gatehouse='env GATEHOUSE_TENANT=fabrikam gatehouse'";
    expect((await tab(["gatehouse", "history", "phone-20"], {}, alias)).offered).toEqual(["phone-20/dora"]);
  });

  test.each([
    ["Redis is away", { REDIS_URL: "redis://127.0.0.1:1" }],
    ["a setting can't be used", { REDIS_URL: "nonsense" }],
    ["there is no deployment", { GATEHOUSE_PREFIX: "nobodys" }],
  ])("%s: nothing is offered, and nothing is said", async (_, changes) => {
    expect(await tab(["gatehouse", "history", ""], changes)).toEqual({ offered: [], stderr: "" });
  });

  test("commands and choices are completed without Redis, too", async () => {
    const away = { REDIS_URL: "redis://127.0.0.1:1" };
    expect((await tab(["gatehouse", "tail", "--state", "loc"], away)).offered).toEqual(["locked"]);
  });
});
