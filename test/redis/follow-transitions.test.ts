/** Following transitions on a real Redis: nothing lost, nothing told twice, and what is no longer kept is said. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { type Followed, TransitionFollower } from "../../src/sessions/follow-transitions.js";
import { positionAt } from "../../src/sessions/journal-time.js";
import { readPosition, writePosition } from "../../src/sessions/stream-position.js";
import type { TransitionFilter } from "../../src/sessions/transition.js";
import { bodyHash } from "../../src/store/journal-chain.js";
import { partitionKeys } from "../../src/store/keys.js";
import type { StoredRecord } from "../../src/store/partition-store.js";
import { POSTURE, TENANT, TestDeployment, samplePolicy } from "../support/deployment.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

const PARTITIONS = 4;
const OUTDATED = { ...POSTURE, osVersion: "15.0" };
const POLICY = "contoso-ios-level2";

let server: TestRedis;
let source: OpenDeployment;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  const { url: redis, prefix } = server;
  source = await openDeployment({ redis, prefix, deployment: { partitionCount: PARTITIONS, clock: "event" } });
  deployment = new TestDeployment(source.store, undefined, undefined, source.users);
  const rules = { rules: deployment.rules, catalogues: deployment.catalogues };
  source = { ...source, ...(rules as unknown as Pick<OpenDeployment, "rules" | "catalogues">) };
  await deployment.publish(1, [samplePolicy(POLICY)]);
  await deployment.drainAll();
});
afterEach(async () => {
  await source.close();
  await server.stop();
});

type Told = Followed & { readonly id: string };

const begin = async (filter: TransitionFilter = {}, after?: string) =>
  TransitionFollower.begin(source, TENANT, filter, after === undefined ? undefined : readPosition(after, PARTITIONS));
const START = writePosition(Array.from({ length: PARTITIONS }, () => 0));

async function all(follower: TransitionFollower): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    const { news, more } = await follower.news();
    told.push(...news);
    if (!more) return told;
  }
}
const told = async (filter: TransitionFilter, after = START) => all(await begin(filter, after));
const brief = (news: readonly Told[]) =>
  news.map((one) =>
    one.kind === "transition"
      ? `${one.transition.session.split("/").slice(1, 3).join("/")} ${one.transition.from} → ${one.transition.to}`
      : one.kind,
  );

/** Each on a device of its own, so that all partitions have something. */
async function people(count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) {
    deployment.now += 1_000;
    await deployment.getIn(`phone-${n}/user-${n}`);
  }
  await deployment.drainAll();
}

test("begins now: what was before is not told", async () => {
  await people(2);
  const follower = await begin();
  expect((await follower.news()).news).toEqual([]);
  await people(1, 2);
  const news = await all(follower);
  expect(brief(news)).toContain("phone-2/user-2 pinSetup → active");
  expect(brief(news).every((line) => line.startsWith("phone-2/"))).toBe(true);
});

test("whoever comes back after any line gets just the lines behind it", async () => {
  await people(9);
  const whole = await told({ state: "active" });
  expect(whole).toHaveLength(9);
  for (const [n, { id }] of whole.entries()) {
    const rest = await told({ state: "active" }, id);
    expect(brief([...whole.slice(0, n + 1), ...rest]).sort()).toEqual(brief(whole).sort());
  }
});

test("so does whoever comes back between records that the policy walk wrote for an earlier time than those before them", async () => {
  await deployment.getIn("phone-1/adele");
  await deployment.getIn("phone-1/bruno");
  deployment.now += 1_000;
  await deployment.publish(2, []);
  deployment.now += 60_000;
  await deployment.send(deployment.event("account.signedOut", { initiator: "user" }, "phone-1/adele"));
  await deployment.drainAll();
  await deployment.walkAll();
  const whole = await told({});
  expect(brief(whole).at(-1)).toMatch(/bruno active → unenrolled/);
  for (const [n, { id }] of whole.entries()) expect(brief(await told({}, id))).toEqual(brief(whole.slice(n + 1)));
});

test("more than is read at a time: everything, once, and each session in its order", async () => {
  for (let n = 0; n < 130; n++) {
    deployment.now += 60_000;
    await deployment.getIn();
    await deployment.send(deployment.event("account.signedOut", { initiator: "user" }));
  }
  await deployment.drainAll();
  const news = await told({ all: true });
  const revisions = news.flatMap((one) => (one.kind === "transition" ? one.transition.revision : []));
  expect(revisions.length).toBeGreaterThan(500);
  expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
  const total = (await source.store.survey([0, 1, 2, 3])).reduce((sum, { seq }) => sum + seq, 0);
  expect(news).toHaveLength(total);
});

describe("filters", () => {
  beforeEach(async () => {
    await people(2);
    deployment.now += 60_000;
    await deployment.send(deployment.event("posture.reported", OUTDATED, "phone-0/user-0"));
    await deployment.drainAll();
  });

  test("by cause: also where the record itself does not name it", async () => {
    const lines = brief(await told({ cause: "osVersion" }));
    const following = await begin({ cause: "osVersion" });
    const followed: Told[] = [];
    expect(lines[0]).toMatch(/^phone-0\/user-0 active → (noncompliant|remediating)/);
    for (let n = 0; n < 3; n++) {
      deployment.now += 24 * 3_600_000;
      await deployment.send(deployment.event("app.foregrounded", {}, "phone-0/user-0"));
      await deployment.drainAll();
      followed.push(...(await all(following)));
    }
    const later = await told({ cause: "osVersion" });
    expect(brief(later).at(-1)).toMatch(/^phone-0\/user-0 remediating\.\w+ → signedOut$/);
    expect(later.at(-1)).toMatchObject({ transition: { cause: "osVersion", signOutReason: "remediationFailed" } });
    // Who follows all along is told the same as who reads it afterwards.
    expect([...lines, ...brief(followed)]).toEqual(brief(later));
    expect(brief(await told({ cause: "remediationFailed" }))).toEqual(brief(later).slice(-1));
    expect(await told({ cause: "rooted" })).toEqual([]);
  });

  test("a cause that went away is not told of what comes later", async () => {
    const send = async (...types: string[]) => {
      deployment.now += 1_000;
      await deployment.send(...types.map((type) => deployment.event(type, {}, "phone-1/user-1")));
      await deployment.drainAll();
    };
    deployment.now += 24 * 3_600_000;
    await send("app.foregrounded");
    const following = await begin({ all: true, user: "user-1" });
    await send("app.backgrounded", "checkin.succeeded");
    const recovered = await all(following);
    expect(recovered[0]).toMatchObject({ transition: { to: "noncompliant", cause: "offlineGrace" } });
    expect(recovered.at(-1)).toMatchObject({ transition: { to: "active" } });
    await send("session.signOutForced");
    const [last] = await all(following);
    expect(last).toMatchObject({ transition: { to: "signedOut", signOutReason: "adminForced" } });
    expect(last).not.toHaveProperty("transition.cause");
  });

  test.each<[TransitionFilter, RegExp]>([
    [{ user: "user-1" }, /^phone-1\/user-1/],
    [{ device: "phone-0" }, /^phone-0\/user-0/],
    [{ from: "active" }, / active → /],
    [{ event: "pin.set" }, / pinSetup → active$/],
    [{ state: "unenrolled.checking" }, / → unenrolled.checking$/],
    [{ state: "unenrolled" }, / → unenrolled\./],
  ])("%j", async (filter, pattern) => {
    const lines = brief(await told(filter));
    const every = brief(await told({}));
    if (filter.state === undefined) expect(lines).toEqual(every.filter((line) => pattern.test(line)));
    else expect(lines.every((line) => pattern.test(line))).toBe(true);
  });

  test("by policy: of sessions as they were judged, also after the policy has another version or is gone", async () => {
    const { id, displayName } = samplePolicy(POLICY) as { id: string; displayName: string };
    const under = brief(await told({ policy: displayName }));
    expect(under.some((line) => line.endsWith("→ active"))).toBe(true);
    deployment.now += 60_000;
    await deployment.publish(2, []);
    await deployment.drainAll();
    await deployment.walkAll();
    await people(1, 7);
    const later = brief(await told({ policy: id.toUpperCase() }));
    // Of somebody whom the new version moved, what it moved is under no policy any more.
    const of = (lines: readonly string[]) => lines.filter((line) => line.startsWith("phone-1/"));
    expect(of(later)).toEqual(of(under));
    expect(brief(await told({ user: "user-1" })).at(-1)).toMatch(/→ unenrolled\.unmanaged$/);
    expect(later.some((line) => line.startsWith("phone-7/"))).toBe(false);
    expect(await told({ policy: "another" })).toEqual([]);
  });

  test("another tenant's are never told", async () => {
    const other = await TransitionFollower.begin(source, "fabrikam", { all: true }, readPosition(START, PARTITIONS));
    expect(await all(other)).toEqual([]);
  });
});

test("since a time: what was committed for that time and later", async () => {
  await people(6);
  const since = deployment.now - 2_000;
  const position = await positionAt(source.store, since);
  const later = await all(await TransitionFollower.begin(source, TENANT, { since, state: "active" }, position));
  expect(brief(later).sort()).toEqual([3, 4, 5].map((n) => `phone-${n}/user-${n} pinSetup → active`));
  const before = await told({ state: "active" }, writePosition(await positionAt(source.store, 0)));
  expect(before).toHaveLength(6);
});

test("records that were trimmed are a gap, however many, and what is behind it is told", async () => {
  for (let n = 0; n < 60; n++) {
    deployment.now += 60_000;
    await deployment.getIn();
    await deployment.send(deployment.event("account.signedOut", { initiator: "user" }));
  }
  await deployment.drainAll();
  const [fullest] = (await source.store.survey([0, 1, 2, 3])).sort((one, other) => other.seq - one.seq);
  const { partition, seq } = fullest!;
  expect(seq).toBeGreaterThan(250);
  await source.redis.xtrim(partitionKeys(server.prefix, partition).journal, "MINID", `${seq - 2}-0`);
  const news = (await told({ all: true })).filter(
    (one) => one.kind !== "transition" || one.transition.session.includes("phone-1/"),
  );
  expect(news[0]).toMatchObject({ kind: "gap", partition, missed: seq - 3 });
  expect(news).toHaveLength(4);
  expect(brief(await told({ all: true }, news[0]!.id))).not.toContain("gap");
});

test("a journal that went back is told once, and followed from where it ends now", async () => {
  await people(1);
  const [survey] = (await source.store.survey([0, 1, 2, 3])).filter(({ seq }) => seq > 1);
  const { partition, seq } = survey!;
  const ahead = readPosition(START, PARTITIONS)!.map((_, n) => (n === partition ? seq + 9 : 0));
  const follower = await begin({}, writePosition(ahead));
  const news = await all(follower);
  expect(news[0]).toMatchObject({ kind: "wentBack", partition, from: seq + 9, to: seq });
  expect(await all(follower)).toEqual([]);
  deployment.now += 1_000;
  await deployment.send(deployment.event("account.signedOut", { initiator: "user" }, "phone-0/user-0"));
  await deployment.drainAll();
  expect(brief(await all(follower))).toEqual(["phone-0/user-0 active → signedOut"]);
});

test("an erased record is passed over, and is no gap", async () => {
  await people(1);
  const whole = await told({});
  const erased = whole[1]!;
  const seqs = readPosition(erased.id, PARTITIONS)!;
  const partition = seqs.findIndex((seq, n) => seq !== readPosition(whole[0]!.id, PARTITIONS)![n]);
  const seq = seqs[partition]!;
  const [entry] = await source.store.records(partition, [seq]);
  await source.store.erase(partition, {
    nextToken: "another",
    sessions: new Map(),
    entries: [],
    placeholder: "",
    records: [{ seq, bodyHash: bodyHash((entry as StoredRecord).body) }],
    effects: [],
    counters: {},
    at: deployment.now,
  });
  expect(brief(await told({}))).toEqual(brief(whole.filter((one) => one !== erased)));
});
