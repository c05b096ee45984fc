/** Wiping, signing out and quarantines by command, with a worker beside; and the log of who did it. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeSession } from "../../machines/session/snapshot.js";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { look } from "../../src/sessions/look.js";
import { partitionKeys } from "../../src/store/keys.js";
import { sessionKey } from "../../src/store/session-key.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { eventually } from "../support/eventually.js";
import { runCli } from "../support/run-cli.js";

const LONG_MS = 120_000;

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let options: CliOptions;
let worker: Cli;

beforeAll(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  options = { directory: home.path, environment: { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "x".repeat(32) } };
  worker = new Cli(["work"], options);
  await worker.says(/worker is up/);
}, LONG_MS);
afterAll(async () => {
  await worker.stop();
  await redis.stop();
  await home.remove();
});

async function run(args: readonly string[], input = "") {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { ...options, input });
  return { code, stderr, result: JSON.parse(stdout) };
}

let sent = 0;
const event = (subject: string, type: string, data: object = {}) =>
  `${JSON.stringify({ specversion: "1.0", id: `e-${++sent}`, source: "test", type, subject, time: new Date().toISOString(), data })}\n`;

/** Marks the stored session as one that an event could not be applied to, or damages it. */
async function tamper(subject: string, how: "quarantine" | "damage"): Promise<void> {
  const deployment = await openDeployment({ redis: redis.url, prefix: "gh" });
  try {
    const id = `contoso/${subject}/azure-mobile`;
    await eventually(async () => (await look(deployment, id)).waiting).toBe(0);
    const { partition, session } = await look(deployment, id);
    if (session === undefined || "unreadable" in session) throw new Error(`there is no session ${id}`);
    const since = { asOf: session.asOf, record: session.lastRecord };
    const quarantine = { reason: "app.launched in active: boom", at: session.asOf, event: "app.launched", since };
    const text = how === "damage" ? `{"v":1,"id":"${id}"` : encodeSession({ ...session, quarantine });
    await deployment.redis.hset(partitionKeys("gh", partition).sessions, sessionKey(id), text);
  } finally {
    await deployment.close();
  }
}

/** Resolves when nothing of it waits for the worker. */
async function processed(subject: string): Promise<void> {
  const deployment = await openDeployment({ redis: redis.url, prefix: "gh" });
  try {
    await eventually(async () => (await look(deployment, `contoso/${subject}/azure-mobile`)).waiting).toBe(0);
  } finally {
    await deployment.close();
  }
}

test(
  "a quarantined session is listed, shown, redriven with all that came since; a damaged one is dropped",
  async () => {
    await run(
      ["emit", "-"],
      event("q-1/quinn", "account.signedIn", { platform: "ios" }) +
        event("q-2/quinn", "account.signedIn", { platform: "ios" }),
    );
    await tamper("q-1/quinn", "quarantine");
    await tamper("q-2/quinn", "damage");
    await run(["emit", "-"], event("q-1/quinn", "app.backgrounded"));

    expect(await run(["quarantine", "list"])).toMatchObject({ code: 0, result: { count: 2 } });
    expect(await run(["quarantine", "list", "--why", "boom"])).toMatchObject({ result: { count: 1 } });
    const shown = await runCli(["quarantine", "show", "q-1/quinn"], options);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/boom[^]*app\.backgrounded +quarantined/) });

    const preview = await runCli(["quarantine", "redrive", "--kind", "quarantined"], options);
    expect(preview).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 session, 1 event\n/) });
    expect(preview.stderr).toContain("--yes");
    const redriven = await run(["quarantine", "redrive", "--yes", "--reason", "mended"]);
    expect(redriven).toMatchObject({ code: 3, result: { redriven: true, sessions: 2, unreadable: 1 } });
    expect(redriven.result.results).toMatchObject([
      { session: "contoso/q-1/quinn/azure-mobile", result: { status: "done", events: 1 } },
      { session: "contoso/q-2/quinn/azure-mobile", result: { status: "unreadable" } },
    ]);
    expect(await run(["quarantine", "redrive", "q-1/quinn", "--yes"])).toMatchObject({
      code: 4,
      result: { error: { code: "quarantine.none" } },
    });

    for (const [args, said] of [
      [["list", "--partition", "64"], "Give 0 to 63"],
      [["redrive", "q-2/quinn", "--kind", "unreadable"], "Name sessions, or give a filter"],
    ] as const) {
      const refused = await run(["quarantine", ...args]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(said)]);
    }

    expect(await run(["quarantine", "drop", "q-2/quinn"])).toMatchObject({ code: 0, result: { dropped: false } });
    expect(await run(["quarantine", "drop", "q-2/quinn", "--yes"])).toMatchObject({
      code: 0,
      result: { results: [{ result: { status: "done", state: "signedOut" } }] },
    });
    expect(await run(["quarantine", "list"])).toMatchObject({ code: 0, result: { count: 0 } });
    const { stdout: history } = await runCli(["history", "q-1/quinn"], options);
    expect(history).toMatch(/quarantine\.lifted[^]*app\.backgrounded/);
    // What came of it can't be had from the session's events alone, though nothing is wrong with the journal.
    expect(await run(["why", "q-1/quinn"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("redriven or dropped"),
    });
    expect(await run(["verify"])).toMatchObject({ code: 0, result: { intact: true } });
  },
  LONG_MS,
);

test(
  "a wipe says first whom it concerns, ends access at once, is safe to repeat, and can be called off",
  async () => {
    await run(
      ["emit", "-"],
      event("w-1/wanda", "account.signedIn", { platform: "ios" }) +
        event("w-2/wanda", "account.signedIn", { platform: "ios" }),
    );
    const preview = await runCli(["wipe", "wanda"], options);
    expect(preview).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/2 of 2 sessions[^]*→ signedOut: [^\n]*wipe/),
    });
    expect(preview.stderr).toContain("--yes");
    expect(await run(["wipe", "wanda"])).toMatchObject({ code: 0, result: { applied: false } });
    const wiped = await run(["wipe", "wanda", "--yes", "--by", "carol", "--reason", "wanda lost it"]);
    expect(wiped).toMatchObject({ code: 0, result: { applied: true } });
    expect(wiped.result.results.map(({ status }: { status: string }) => status)).toEqual(["sent", "sent"]);
    expect((await runCli(["decide", "w-1", "wanda"], options)).stdout).toContain("signedOut.wipeRequested");
    const again = await runCli(["wipe", "wanda", "--yes"], options);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing to do") });
    expect(await run(["wipe", "wanda", "--cancel", "--device", "w-1", "--yes"])).toMatchObject({
      code: 0,
      result: { results: [{ status: "sent" }] },
    });
    await processed("w-1/wanda");
    expect((await runCli(["history", "w-1/wanda"], options)).stdout).toMatch(/wipe=\{[^}]*status:cancelled/);
    const since = await runCli(["history", "w-1/wanda", "--since", "2999-01-01"], options);
    expect(since).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing was recorded since then") });
    expect(await run(["wipe", "nobody", "--yes"])).toMatchObject({
      code: 4,
      result: { error: { code: "user.unknown" } },
    });
    expect((await run(["wipe", "wanda", "--device", "w/1"])).code).toBe(2);

    const { stdout } = await runCli(["audit", "--act", "wipe", "--json"], options);
    expect(JSON.parse(stdout)).toMatchObject({
      acts: [
        { act: "wipe.cancel", outcome: "done" },
        { act: "wipe.request", by: "carol", reason: "[…] lost it", touched: { sessions: 2, sent: 2 }, outcome: "done" },
      ],
    });
    expect(stdout).not.toMatch(/wanda|w-1/);
    const { stdout: found } = await runCli(["audit", "--user", "wanda", "--device", "w-1"], options);
    expect(found).toMatch(/^[^\n]*wipe\.cancel  done\n/);
  },
  LONG_MS,
);

test(
  "a sign-out ends sessions, says which were over already, and its reason stands in the history",
  async () => {
    await run(["emit", "-"], event("s-1/sam", "account.signedIn", { platform: "ios" }));
    expect(await run(["signout", "sam", "--yes", "--reason", "left"])).toMatchObject({
      code: 0,
      result: { results: [{ session: "contoso/s-1/sam/azure-mobile", status: "sent" }] },
    });
    expect((await runCli(["decide", "s-1", "sam"], options)).stdout).toContain("signedOut.adminForced");
    expect((await runCli(["signout", "sam"], options)).stdout).toContain("signed out already");
    await processed("s-1/sam");
    expect((await runCli(["history", "s-1/sam"], options)).stdout).toMatch(/signOutForced[^]*“left”/);
  },
  LONG_MS,
);

test.runIf(process.platform === "linux")(
  "on a terminal it asks: another word and Ctrl-D change nothing, Ctrl-C neither and ends it with 130, the right word does it",
  async () => {
    await run(["emit", "-"], event("t-1/tess", "account.signedIn", { platform: "ios" }));
    const answered = async (typed: string) => {
      const asking = new Cli(["signout", "tess"], { ...options, terminal: true });
      await asking.says(/Type .*tess/, "stdout");
      asking.process.stdin?.write(typed);
      return asking.finished();
    };
    for (const [typed, code] of [
      ["yes\r", 0],
      ["\u0004", 0],
      ["\u0003", 130],
    ] as const) {
      const refused = await answered(typed);
      expect([refused.code, refused.stdout]).toEqual([code, expect.stringContaining("Nothing was done.")]);
      expect(refused.stdout).not.toContain("error");
    }
    expect((await runCli(["decide", "t-1", "tess"], options)).stdout).not.toContain("signedOut");
    expect(await answered("tess\r")).toMatchObject({ code: 0, stdout: expect.stringContaining("sent") });
    expect((await runCli(["decide", "t-1", "tess"], options)).stdout).toContain("signedOut.adminForced");
  },
  LONG_MS,
);

test(
  "the audit log tells an erasure, and keeps neither secrets nor the person",
  async () => {
    await run(["emit", "-"], event("e-1/erika", "account.signedIn", { platform: "ios" }));
    await run(["signout", "erika", "--yes", "--reason", "before erasing erika"]);
    const { result: key } = await run(["keys", "create", "--name", "mail", "--scope", "emit"]);
    expect(await run(["erase", "erika", "--yes", "--reason", "Erika asked"])).toMatchObject({ code: 0 });
    const { code, stdout } = await runCli(["audit", "--json"], options);
    expect(code).toBe(0);
    const { acts } = JSON.parse(stdout) as { acts: { act: string }[] };
    expect(acts.slice(0, 3)).toMatchObject([
      { act: "erase", outcome: "done", about: { what: "person" } },
      { act: "keys.create", about: { id: key.id, scopes: ["emit"] } },
      { act: "signout", outcome: "done" },
    ]);
    expect(stdout).not.toContain(key.key);
    expect(stdout).not.toMatch(/erika/i);
    expect((await run(["audit", "--since", "soon"])).code).toBe(2);
    const misspelt = await run(["audit", "--act", "wipes"]);
    expect([misspelt.code, misspelt.stderr]).toEqual([2, expect.stringContaining("wipe.request")]);
  },
  LONG_MS,
);

test(
  "recorded events are sent in again after a preview; what is remembered of them changes nothing, and the log tells who did it",
  async () => {
    await run(
      ["emit", "-"],
      event("r-1/ruth", "account.signedIn", { platform: "ios" }) + event("r-1/ruth", "app.backgrounded"),
    );
    await processed("r-1/ruth");
    const again = ["replay", "--apply", "--session", "r-1/ruth"];
    expect(await runCli(again, options)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^2 recorded events would be sent in again[^]*--yes/),
    });
    expect(await run([...again, "--yes", "--reason", "lost"])).toMatchObject({
      code: 0,
      result: { applied: true, accepted: 0, duplicate: 2, sent: 2 },
    });
    const { result } = await run(["audit", "--act", "events.replay"]);
    expect(result.acts).toMatchObject([{ outcome: "done", reason: "lost", touched: { duplicate: 2 } }]);
  },
  LONG_MS,
);

test.runIf(process.platform === "linux")(
  "Ctrl-C while events are sent in again says how far it was; what it says to run goes on exactly there",
  async () => {
    const devices = Array.from({ length: 60 }, (_, n) => `i-${n}/ivy`);
    const input = devices
      .flatMap((subject) => [
        event(subject, "account.signedIn", { platform: "ios" }),
        ...Array.from({ length: 120 }, () => event(subject, "app.backgrounded")),
      ])
      .join("");
    await runCli(["emit", "-"], { ...options, input });
    for (const subject of devices) await processed(subject);

    // It may be done before the key is heard; sent in once more it changes nothing.
    let stopped: RegExpExecArray | null = null;
    for (let attempt = 0; attempt < 10 && stopped === null; attempt++) {
      const sending = new Cli(["replay", "--apply", "--yes"], { ...options, terminal: true });
      await sending.says(/[1-9]\d* of [\d,]+ events|sent in =/, "stdout");
      sending.process.stdin?.write("\u0003");
      const { code, stdout } = await sending.finished();
      stopped = /([\d,]+) of ([\d,]+) events were sent in. To go on: gatehouse (.*)/.exec(stdout);
      if (stopped !== null) expect(code).toBe(130);
    }
    const [, done = "", total = "", command = ""] = stopped ?? [];
    const number = (text: string) => Number(text.replaceAll(",", ""));
    expect([number(done) > 0, number(done) < number(total)]).toEqual([true, true]);
    const { code, result } = await run([...command.trim().split(" "), "--yes"]);
    expect([code, result.sent]).toEqual([0, number(total) - number(done)]);
  },
  LONG_MS,
);
