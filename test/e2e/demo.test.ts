/** The demonstration: it adds up, leaves something to look at, and ends the same whatever happens to its worker. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processed } from "../../src/cli/demo/tally.js";
import { readCounters } from "../../src/store/counters.js";
import { openDeployment } from "../../src/deployment/open-deployment.js";
import { findPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, type Finished, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

const DEVICES = 100;
const STATES = ["unenrolled", "pinSetup", "locked", "active", "noncompliant", "remediating", "signedOut"];

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let undisturbed: Finished;
const look = (...args: string[]) => runCli(args, { directory: home.path });

const demo = (directory: string) =>
  new Cli(["demo", "--json", "--seed", "7", "--devices", String(DEVICES), "--states", join(directory, "states")], {
    directory,
  });

const sum = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((one, other) => one + other, 0);

beforeAll(async () => {
  home = await temporaryDirectory();
  undisturbed = await demo(home.path).finished();
});
afterAll(() => home.remove());

describe("an undisturbed day", () => {
  test("prints one JSON object that adds up, and exits with 0", () => {
    expect([undisturbed.code, undisturbed.stdout.trim().split("\n").length]).toEqual([0, 1]);
    const { states, visited, ...day } = JSON.parse(undisturbed.stdout) as Record<string, number> & {
      states: Record<string, number>;
      visited: Record<string, number>;
    };
    const { sent, accepted, duplicate, conflict, refused, applied, ignored, stale, quarantined, sessions } = day;
    expect(sum({ accepted, duplicate, conflict, refused } as Record<string, number>)).toBe(sent);
    expect(sum({ applied, ignored, stale, quarantined } as Record<string, number>)).toBe(accepted);
    expect(sum(states)).toBe(sessions);
    expect([Object.keys(states), Object.keys(visited), quarantined]).toEqual([STATES, STATES, 0]);
    expect(Math.min(...Object.values(visited))).toBeGreaterThanOrEqual((sessions as number) / 100);
    expect(Math.min(day["eventsPerSecond"] as number, day["seconds"] as number)).toBeGreaterThan(0);
  });

  test("leaves no process behind", async () => {
    expect(await findPrivateRedis(join(home.path, "demo"))).toBeUndefined();
  });

  test("leaves its sessions to look at, by state, cause, user and device", async () => {
    const { states } = JSON.parse(undisturbed.stdout) as { states: Record<string, number> };
    const list = async (...filter: string[]) => {
      const { stdout } = await look("sessions", "--json", "--limit", "10000", ...filter);
      return (JSON.parse(stdout) as { sessions: { session: string; state: string; cause?: string }[] }).sessions;
    };
    const signedOut = await list("--state", "signedOut");
    expect(signedOut.length).toBe(states["signedOut"]);
    expect(new Set(signedOut.map(({ state }) => state))).toEqual(new Set(["signedOut"]));

    const [, device = "", user = ""] = signedOut[0]?.session.split("/") ?? [];
    expect((await list("--device", device)).every(({ session }) => session.includes(`/${device}/`))).toBe(true);
    expect((await list("--user", user)).map(({ session }) => session.split("/")[2])).toContain(user);
    const cause = signedOut.find((session) => session.cause !== undefined)?.cause as string;
    expect((await list("--cause", cause)).length).toBeGreaterThan(0);
  });

  test("a session's page, its history and its decision agree", async () => {
    const { stdout: ids } = await look("sessions", "--state", "locked", "--limit", "1", "--ids");
    const id = ids.trim();
    const [device = "", user = ""] = id.split("/");
    const session = JSON.parse((await look("session", id, "--json")).stdout) as {
      state: string;
      revision: number;
      decision: { decision: string; reasons: string[] };
      timers: { id: string; due: number; event: string }[];
      rules: { policies: unknown[] };
      nextEvents: { type: string }[];
    };
    const history = JSON.parse((await look("history", id, "--json")).stdout) as {
      records: { event: { type: string }; to: string; revision: number; previous?: number; seq: number }[];
      cut?: string;
    };
    const decision = JSON.parse((await look("decide", device, user, "--json")).stdout) as { decision: string };

    expect([session.state, session.decision.decision, decision.decision]).toEqual(["locked", "challenge", "challenge"]);
    expect(session.rules.policies.length).toBe(1);
    expect(session.nextEvents.map(({ type }) => type)).toContain("pin.verified");
    expect(session.timers.map(({ event }) => event)).toContain("offlineGrace.expired");
    expect([history.cut, history.records[0]?.event.type]).toEqual([undefined, "account.signedIn"]);
    expect(history.records.at(-1)?.to).toBe("locked");
    history.records.slice(1).forEach((record, n) => expect(record.previous).toBe(history.records[n]?.seq));
  });

  test("the same, for people", async () => {
    const { stdout: id } = await look("sessions", "--state", "signedOut", "--limit", "1", "--ids");
    const page = await look("session", id.trim());
    expect([page.code, page.stdout]).toEqual([0, expect.stringContaining("Events it would answer")]);
    const history = await look("history", id.trim());
    expect(history.stdout).toMatch(/account\.signedIn[^]*→ signedOut/);
    // No colours where nobody sees them.
    expect(page.stdout + history.stdout).not.toContain("\u001B");
  });

  test("what changes something needs it running, and says how", async () => {
    const { code, stderr } = await look("archive", "--to", join(home.path, "archive"));
    expect([code, stderr]).toEqual([6, expect.stringContaining(`GATEHOUSE_DIRECTORY=${join(home.path, "demo")}`)]);
  });

  test("an unknown session is not found, and says what to do", async () => {
    const { code, stderr } = await look("session", "no-phone/nobody");
    expect([code, stderr]).toEqual([4, expect.stringContaining("account.signedIn")]);
  });
});

test("a worker that is killed in the middle is replaced, and every session ends as it would have", async () => {
  const directory = await temporaryDirectory();
  try {
    const running = demo(directory.path);
    const [, pid] = await running.says(/Worker (\d+) is up/);
    await untilProcessed(directory.path, 1_000);
    process.kill(Number(pid), "SIGKILL");
    await running.says(/worker \d+ died \(SIGKILL\); worker \d+ took over/);
    const { code, stdout } = await running.finished();

    const ends = ({ eventsPerSecond: _, seconds: __, ...rest }: Record<string, unknown>) => rest;
    expect(code).toBe(0);
    expect(ends(JSON.parse(stdout))).toEqual(ends(JSON.parse(undisturbed.stdout)));
    const states = await readFile(join(directory.path, "states"), "utf8");
    expect(states === (await readFile(join(home.path, "states"), "utf8"))).toBe(true);
    expect(states.trim().split("\n").length).toBeGreaterThan(DEVICES);
  } finally {
    await directory.remove();
  }
});

async function untilProcessed(directory: string, events: number): Promise<void> {
  const redis = await findPrivateRedis(join(directory, "demo"));
  const deployment = await openDeployment({ redis: redis?.url ?? "", prefix: "gh" });
  try {
    while (processed(await readCounters(deployment.store)) < events) await delay(2);
  } finally {
    await deployment.close();
  }
}

test("Ctrl-C ends it, and what it started", async () => {
  const directory = await temporaryDirectory();
  try {
    const running = new Cli(["demo"], { directory: directory.path });
    await running.says(/Worker \d+ is up/);
    running.process.kill("SIGINT");
    expect((await running.finished()).code).toBe(130);
    expect(await findPrivateRedis(join(directory.path, "demo"))).toBeUndefined();
  } finally {
    await directory.remove();
  }
});

test("without a Redis and a way to get one, the error names the three ways out", async () => {
  const directory = await temporaryDirectory();
  try {
    const { code, stdout, stderr } = await runCli(["demo", "--json"], {
      directory: directory.path,
      environment: { PATH: directory.path },
    });
    const { error } = JSON.parse(stdout) as { error: { code: string; fix: string } };
    expect([code, error.code]).toEqual([6, "redis.missing"]);
    for (const wayOut of ["REDIS_URL", "redis-server or valkey-server on the PATH", "docker compose"]) {
      expect(error.fix).toContain(wayOut);
      expect(stderr).toContain(wayOut);
    }
  } finally {
    await directory.remove();
  }
});
