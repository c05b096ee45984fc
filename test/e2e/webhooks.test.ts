/** Webhooks and remediators as people run them: commands, a worker process, and the receiver that the docs print. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { WebhookReceiver, answer } from "../support/receiver.js";
import { eventually } from "../support/eventually.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let options: CliOptions;
let receiver: WebhookReceiver;
const running: Cli[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  receiver = await WebhookReceiver.start();
  options = {
    directory: home.path,
    environment: {
      REDIS_URL: redis.url,
      GATEHOUSE_SECRET_KEY: "0123456789abcdef0123456789abcdef",
      GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
    },
  };
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((cli) => cli.stop()));
  for (const child of children.splice(0)) child.kill();
  await receiver.stop();
  await redis.stop();
  await home.remove();
});

async function run(...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli([...args, "--json"], options);
  return { code, stderr, result: JSON.parse(stdout) as Record<string, unknown> };
}

async function work(environment: Readonly<Record<string, string>> = {}): Promise<Cli> {
  const worker = new Cli(["work"], { ...options, environment: { ...options.environment, ...environment } });
  running.push(worker);
  await worker.says(/worker is up/);
  return worker;
}

const sample = (path: string): string => fileURLToPath(new URL(`../../samples/${path}`, import.meta.url));

async function playFirstDay(): Promise<void> {
  await run("policy", "import", sample("policies/contoso-ios-level2.json"));
  await run("policy", "publish", "--no-wait");
  await run("emit", sample("streams/first-day.ndjson"));
}

test("an endpoint is added, tried out, sent effects, looked at and removed", async () => {
  const { result: added } = await run("webhooks", "add", receiver.url, "--kind", "command");
  const id = String(added["id"]);
  expect(added).toMatchObject({ state: "active", secret: expect.stringMatching(/^whsec_/) });
  expect(await run("webhooks", "test", id)).toMatchObject({ code: 0, result: { delivered: true, status: 204 } });
  receiver.reply = answer(500);
  expect(await run("webhooks", "test", id)).toMatchObject({ code: 1, result: { delivered: false, status: 500 } });
  receiver.reply = answer(204);
  receiver.requests.length = 0;

  await work();
  await playFirstDay();
  const isSettled = async () => {
    const { waiting, delivered } = (await run("webhooks", "show", id)).result["figures"] as Record<string, number>;
    return waiting === 0 && delivered === receiver.requests.length && delivered > 0;
  };
  await eventually(isSettled).toBe(true);
  expect(receiver.requests.every(({ body }) => JSON.parse(body).kind === "command")).toBe(true);

  const { result: list } = await run("effects", "list", "--limit", "1");
  const [delivery] = list["deliveries"] as { effect: { id: string; session: string } }[];
  const effect = delivery?.effect.id ?? "";
  expect(receiver.ids).toContain(effect);
  const { stdout } = await runCli(["effects", "show", effect], options);
  expect(stdout).toMatch(/delivered .* 1 attempt[^]*204 .* taken/);
  const { result: history } = await run("history", delivery?.effect.session ?? "", "--deliveries");
  const told = (history["records"] as { deliveries: { id?: string; deliveries: object[] }[] }[]).flatMap(
    (record) => record.deliveries,
  );
  expect(told.find(({ id: name }) => name === effect)?.deliveries).toMatchObject([
    { endpoint: id, state: "delivered" },
  ]);
  expect(await run("effects", "redrive")).toMatchObject({ code: 0, result: { redriven: false, count: 0 } });

  expect(await run("webhooks", "remove", id)).toMatchObject({ result: { removed: false } });
  expect(await run("webhooks", "remove", id, "--yes")).toMatchObject({ result: { removed: true } });
  expect((await run("webhooks", "list")).result).toEqual({ endpoints: [] });
});

test("what was spent is counted first, and then tried again; the log tells who did it", async () => {
  receiver.reply = answer(410);
  const id = String((await run("webhooks", "add", receiver.url)).result["id"]);
  await work();
  await playFirstDay();
  const shown = async () => (await run("webhooks", "show", id)).result;
  await eventually(async () => (await shown())["state"]).toBe("disabled");
  const figures = async () => (await shown())["figures"] as Record<string, number>;
  const late = {
    specversion: "1.0",
    id: "late",
    source: "test",
    subject: "phone-20/dora",
    time: new Date().toISOString(),
  };
  const input = JSON.stringify({ ...late, type: "account.signedIn", data: { platform: "ios" } });
  await runCli(["emit", "-"], { ...options, input });
  await eventually(async () => (await figures())["spent"]).toBeGreaterThan(0);
  const preview = await runCli(["effects", "redrive"], options);
  expect(preview.stdout).toMatch(/spent deliver(y|ies) would be due again[^]*410 Gone/);
  expect(preview.stderr).toContain("Nothing was changed: --yes");
  expect(await run("effects", "redrive", "--type", "none")).toMatchObject({ code: 0, result: { count: 0 } });

  receiver.reply = answer(204);
  await run("webhooks", "resume", id);
  const redriven = await run("effects", "redrive", "--yes", "--reason", "mended");
  expect(redriven).toMatchObject({ code: 0, result: { redriven: true } });
  await eventually(async () => (await figures())["waiting"]).toBe(0);
  expect((await figures())["spent"]).toBe(0);
  const { result } = await run("audit", "--act", "effects.redrive");
  expect(result["acts"]).toMatchObject([{ reason: "mended", touched: { deliveries: redriven.result["count"] } }]);
});

test("mistakes are named, and end as they should", async () => {
  expect(await run("webhooks", "add", "https://10.0.0.1/hook")).toMatchObject({
    code: 2,
    result: { error: { code: "webhook.target_refused" } },
  });
  expect(await run("webhooks", "show", "wh_0")).toMatchObject({
    code: 4,
    result: { error: { code: "webhook.unknown" } },
  });
  expect(await run("effects", "show", "1-1-0")).toMatchObject({
    code: 4,
    result: { error: { code: "effect.unknown" } },
  });
});

test("the receiver of the docs takes what is sent, and refuses what nobody signed", async () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/webhooks.md", import.meta.url)), "utf8");
  const [, code = ""] = /```ts\n([^]*?)```/.exec(page) ?? [];
  expect(code).toContain(".listen(9000)");
  const program = fileURLToPath(new URL(`./docs-receiver-${process.pid}.ts`, import.meta.url));
  const told = code
    .replace(".listen(9000)", '.listen(0, "127.0.0.1", function () { console.log("port", this.address().port); })')
    .concat("\nfunction carryOut({ type }: { type: string }) { console.log(type); }\n");
  // Beside the tests, where its import of the library resolves.
  await writeFile(program, told);
  const { secret, id } = (await run("webhooks", "add", receiver.url)).result as { secret: string; id: string };
  await run("webhooks", "remove", id, "--yes");
  try {
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), program], {
      env: { ...process.env, WEBHOOK_SECRET: secret },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [first] = (await once(child.stdout!.setEncoding("utf8"), "data")) as [string];
    const url = `http://127.0.0.1:${/port (\d+)/.exec(first)?.[1]}/gatehouse`;
    const { body, headers } = await signedBy(secret);
    const post = async (text: string) => (await fetch(url, { method: "POST", body: text, headers })).status;
    expect(await post(body.replace("phone-1", "phone-2"))).toBe(401);
    expect(await post(body)).toBe(204);
    expect(await post(body)).toBe(204);
  } finally {
    await import("node:fs/promises").then(({ rm }) => rm(program));
  }
});

async function signedBy(secret: string) {
  const { signed } = await import("../../src/webhooks/send.js");
  const effect = {
    id: "1-1-0-0badcafe",
    session: "contoso/phone-1/adele/azure-mobile",
    revision: 2,
    at: Date.now(),
    kind: "command",
    type: "wipe",
    data: { requestId: "w1", why: "admin" },
  } as const;
  return signed(effect, [secret], new Date());
}

test("a module that GATEHOUSE_REMEDIATORS names registers what the worker runs", async () => {
  const module = join(home.path, "remediators.mjs");
  const entry = new URL("../../dist/src/remediators/index.js", import.meta.url).href;
  await writeFile(
    module,
    `import { registerRemediator } from ${JSON.stringify(entry)};
     registerRemediator("mamVerdict", ({ user, cause }) => {
       process.stderr.write("remediating " + user + " for " + cause + "\\n");
       return { status: "COMPLIANT" };
     });`,
  );
  const worker = await work({ GATEHOUSE_REMEDIATORS: module });
  await playFirstDay();
  const verdict = {
    specversion: "1.0",
    id: "verdict",
    source: "test",
    type: "compliance.evaluated",
    subject: "phone-17/adele",
    time: new Date().toISOString(),
    data: { verdict: "noncompliant", scope: "mam" },
  };
  await runCli(["emit", "-"], { ...options, input: `${JSON.stringify(verdict)}\n` });
  await worker.says(/remediating adele for mamVerdict/);
  const told = async () => (await run("history", "phone-17/adele")).result;
  await eventually(async () => JSON.stringify(await told())).toContain("remediation.completed");
});

test("a worker whose module of remediators is missing does not come up, and says which", async () => {
  const worker = new Cli(["work"], {
    ...options,
    environment: { ...options.environment, GATEHOUSE_REMEDIATORS: "./no-such-module.js" },
  });
  expect(await worker.finished()).toMatchObject({ code: 1, stderr: expect.stringContaining("no-such-module.js") });
});
