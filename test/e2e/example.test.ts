/** The example backend, as docs/clients.md has it run: it emits, asks, and receives webhooks, against a private instance. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Webhook } from "standardwebhooks";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { freePort } from "../support/free-ports.js";
import { runCli } from "../support/run-cli.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let gatehouse: Cli;
let backend: ChildProcess;
let url: string;
let secret: string;

beforeAll(async () => {
  home = await temporaryDirectory();
  const options = { directory: home.path, environment: { GATEHOUSE_PORT: "0" } };
  gatehouse = new Cli(["up"], options);
  const [, api = ""] = await gatehouse.says(/API +(http:\/\/\S+?),/, "stdout");
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli(args, options);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  };
  // The endpoint has to be registered before the backend knows its secret.
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  await run("policy", "import", `${ROOT}samples/policies/contoso-ios-level2.json`);
  await run("policy", "publish");
  const { key } = JSON.parse(
    await run("keys", "create", "--name", "backend", "--scope", "emit", "decide", "--json"),
  ) as { key: string };
  ({ secret } = JSON.parse(await run("webhooks", "add", `${url}/gatehouse`, "--json")) as { secret: string });
  backend = spawn(process.execPath, ["--import", "tsx", `${ROOT}examples/backend/server.ts`], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), GATEHOUSE_URL: api, GATEHOUSE_KEY: key, WEBHOOK_SECRET: secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(backend.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  expect(said.toString()).toContain(url);
});
afterAll(async () => {
  const ended = once(backend, "exit");
  backend.kill("SIGTERM");
  await ended;
  await gatehouse.stop();
  await home.remove();
});

const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const WHO = "?device=phone-17&user=adele";
const documents = async () => ask("GET", `/documents${WHO}`);

/** What the app reported on Adele's first morning, up to her PIN. */
const firstMorning = readFileSync(`${ROOT}samples/streams/first-day.ndjson`, "utf8")
  .split("\n")
  .slice(0, 6)
  .map((line) => JSON.parse(line) as { type: string; data: object });

test("nobody gets a document before they signed in, and the person is told what to do", async () => {
  expect(await documents()).toEqual({
    status: 403,
    body: { decision: "deny", reasons: ["session.unknown"], tellThePerson: expect.stringContaining("Sign in") },
  });
});

test("what the app reports leads to access, and a webhook says so", async () => {
  for (const { type, data } of firstMorning) {
    expect(await ask("POST", `/report${WHO}`, { type, data })).toMatchObject({ status: 202 });
  }
  expect(await documents()).toMatchObject({ status: 200, body: { documents: expect.any(Array) } });
  const screen = async () => (await ask("GET", `/orders${WHO}`)).body["screen"];
  await expect.poll(screen, { timeout: 20_000 }).toMatchObject({ type: "gatehouse.effect.grantAccess", kind: "state" });
});

test("a secret in a report is refused, with the reason", async () => {
  expect(await ask("POST", `/report${WHO}`, { type: "pin.set", data: { pin: "1234" } })).toMatchObject({
    status: 400,
    body: { code: "event.secret_field", path: "/data/pin" },
  });
});

test("who leaves the company gets no document from then on, and the app is told to sign out", async () => {
  expect((await ask("POST", "/offboard?user=adele")).status).toBe(202);
  expect(await documents()).toMatchObject({ status: 403, body: { decision: "deny" } });
  const told: unknown[] = [];
  await expect
    .poll(
      async () => {
        told.push(
          ...((await ask("GET", `/orders${WHO}`)).body["commands"] as { type: string }[]).map((one) => one.type),
        );
        return told;
      },
      { timeout: 20_000 },
    )
    .toContain("gatehouse.effect.signOut");
});

test("what is not signed by Gatehouse is refused; a repetition and an older state change nothing; a command always counts", async () => {
  const effect = (id: string, kind: string, type: string, revision: number) =>
    JSON.stringify({ id, kind, type, revision, subject: "phone-9/megan/azure-mobile", data: {} });
  const deliver = async (id: string, body: string, key = secret) => {
    const at = new Date();
    const signature = new Webhook(key).sign(id, at, body);
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    return ask("POST", "/gatehouse", body, {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signature,
    });
  };
  const newer = effect("2", "state", "blockAccess", 7);
  expect((await deliver("2", newer, `whsec_${Buffer.alloc(24, 7).toString("base64")}`)).status).toBe(401);
  expect((await deliver("2", newer)).body).toEqual({ became: "taken" });
  expect((await deliver("2", newer)).body).toEqual({ became: "repeated" });
  expect((await deliver("1", effect("1", "state", "grantAccess", 6))).body).toEqual({ became: "stale" });
  expect((await deliver("0", effect("0", "command", "wipe", 5))).body).toEqual({ became: "taken" });
  expect((await ask("GET", "/orders?device=phone-9&user=megan")).body).toMatchObject({
    screen: { type: "blockAccess" },
    commands: [{ type: "wipe" }],
  });
});
