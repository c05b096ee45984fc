/** What is told of a user reaches every session of the user: once, in order, whoever crashes and whatever comes in between. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { JournalRecord } from "../../../machines/outcome.js";
import { withFacts } from "../../../machines/users/user-record.js";
import { StoreUnavailableError } from "../../../src/errors.js";
import { ingest } from "../../../src/ingest/ingest.js";
import { readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { resumeFanOuts, tellSessions } from "../../../src/users/fan-out.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type Interposer, interposed } from "../../support/interposed.js";

const ADELE = { tenant: TENANT, user: "adele" };
const SUBJECTS = ["phone-1/adele", "phone-1/adele/outlook", "phone-2/adele", "tablet-1/adele"] as const;

const newTestDeployment = (): TestDeployment =>
  new TestDeployment(new MemoryPartitionStore({ deployment: { partitionCount: 4, clock: "event" } }));

let deployment: TestDeployment;
beforeEach(async () => {
  deployment = newTestDeployment();
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
});

const signIn = (subject: string) => deployment.event("account.signedIn", { platform: "ios" }, subject);
const about = (type: string, data: object = {}, subject = "adele", changes: object = {}) =>
  deployment.event(type, data, subject, changes);

const idOf = (subject: string): string => {
  const [device, user, app = "azure-mobile"] = subject.split("/");
  return `${TENANT}/${device}/${user}/${app}`;
};

async function sessionOf(subject: string) {
  const { session } = await look(deployment, idOf(subject));
  if (session === undefined || "unreadable" in session) throw new Error(`no session ${subject}`);
  return session;
}

/** Everything is processed; what was recorded of a session, oldest first. */
async function recordsOf(subject: string): Promise<readonly JournalRecord[]> {
  await deployment.drainAll();
  const { partition, lastRecord } = await look(deployment, idOf(subject));
  return (await readHistory(deployment.store, partition, lastRecord)).records;
}

const typesOf = (records: readonly JournalRecord[]): string[] => records.map(({ event }) => event.type);

/** Ingest through stores that somebody stands in front of. */
const sendThrough = (interpose: Interposer, ...events: readonly object[]) =>
  ingest(throughTarget(interpose), TENANT, events);

const throughTarget = (interpose: Interposer) => ({
  store: interposed(deployment.store, interpose),
  users: interposed(deployment.users, interpose),
  wake: deployment.wake,
});

const LOST = new StoreUnavailableError("gone", { outcomeUnknown: true });

describe("an event about a user", () => {
  beforeEach(async () => {
    await deployment.send(...SUBJECTS.map(signIn), signIn("phone-1/bruno"));
  });

  test.each([
    ["the user alone", "adele"],
    ["a session", "phone-1/adele"],
    ["a session that is not there", "watch/adele"],
  ])("reaches every session of the user and no other's, where its subject is %s", async (_what, subject) => {
    const { totals } = await deployment.send(about("license.revoked", {}, subject));
    expect(totals).toMatchObject({ sent: 1, accepted: 1 });
    for (const one of SUBJECTS) expect((await sessionOf(one)).facts).toMatchObject({ licensed: false, userVersion: 1 });
    expect((await sessionOf("phone-1/bruno")).facts.licensed).toBeUndefined();
  });

  test("is recorded once for each of them, as it was reported", async () => {
    await deployment.send(about("account.disabled"));
    for (const one of SUBJECTS) {
      const told = (await recordsOf(one)).filter(({ event }) => event.type === "account.disabled");
      expect(told).toHaveLength(1);
      expect(told[0]).toMatchObject({ outcome: "applied", userVersion: 1, origin: { source: "app://test" } });
    }
  });

  test("that is sent again is a duplicate, and with another body a conflict; the sessions hear of neither", async () => {
    const event = about("license.revoked") as { id: string };
    await deployment.send(event);
    expect((await deployment.send(event)).totals).toMatchObject({ duplicate: 1 });
    const other = about("license.granted", {}, "adele", { id: event.id });
    expect((await deployment.send(other)).totals).toMatchObject({ conflict: 1 });
    expect(typesOf(await recordsOf("phone-2/adele"))).toEqual([
      "account.signedIn",
      "license.revoked",
      "assignment.changed",
    ]);
  });

  test("keeps its place among the events of the device that it was reported of", async () => {
    await deployment.send(
      deployment.event("app.launched"),
      about("account.disabled", {}, "phone-1/adele"),
      deployment.event("app.backgrounded"),
      about("account.enabled", {}, "phone-1/adele"),
      deployment.event("app.foregrounded"),
    );
    expect(typesOf(await recordsOf("phone-1/adele")).filter((type) => !type.startsWith("policy"))).toEqual([
      "account.signedIn",
      "app.launched",
      "account.disabled",
      "app.backgrounded",
      "account.enabled",
      "app.foregrounded",
    ]);
  });

  test("comes in the order in which it was sent, whatever the devices", async () => {
    const devices = ["phone-1", "phone-2", "tablet-1"];
    const events = Array.from({ length: 9 }, (_, n) =>
      about("membership.changed", { groups: [`group-${n}`] }, `${devices[n % 3]}/adele`),
    );
    await deployment.send(...events);
    expect(await deployment.users.read(ADELE)).toMatchObject({ version: 9, groups: ["group-8"] });
  });

  test("that relaxes, and is older than the last one that restricted, is recorded as stale and opens nothing", async () => {
    const before = new Date(deployment.now - 1_000).toISOString();
    await deployment.send(about("account.disabled"));
    await deployment.send(about("account.enabled", {}, "adele", { time: before }));
    expect(await deployment.users.read(ADELE)).toMatchObject({ version: 1, account: "disabled" });
    for (const one of SUBJECTS) {
      expect((await recordsOf(one)).at(-1)).toMatchObject({ event: { type: "account.enabled" }, outcome: "stale" });
      expect((await sessionOf(one)).facts.accountDisabled).toBe(true);
    }
  });

  test("is refused of a user whose name can't be one", async () => {
    const { results } = await deployment.send(about("license.revoked", {}, "adele vance"));
    expect(results[0]).toMatchObject({ status: "refused", refusal: { path: "/subject" } });
  });
});

test("an event of a session must name its device", async () => {
  const { results } = await deployment.send(deployment.event("app.launched", {}, "adele"));
  expect(results[0]).toMatchObject({ status: "refused", refusal: { code: "event.invalid", path: "/subject" } });
});

describe("a sign-in", () => {
  test("is followed by all that is known of the user", async () => {
    await deployment.send(about("membership.changed", { groups: ["sales"] }), about("license.revoked"));
    await deployment.send(signIn("phone-1/adele"));
    const [first, second] = await recordsOf("phone-1/adele");
    expect([first?.event.type, second?.event]).toEqual([
      "account.signedIn",
      { type: "user.changed", version: 2, licensed: false, groups: ["sales"] },
    ]);
  });

  test("is followed by nothing where nothing is known", async () => {
    await deployment.send(signIn("phone-1/adele"));
    expect(typesOf(await recordsOf("phone-1/adele"))).toEqual(["account.signedIn"]);
  });

  test("that is sent again tells nothing again", async () => {
    await deployment.send(about("license.revoked"));
    const event = signIn("phone-1/adele");
    await deployment.send(event);
    expect((await deployment.send(event)).totals).toMatchObject({ duplicate: 1 });
    expect(typesOf(await recordsOf("phone-1/adele")).filter((type) => type === "user.changed")).toHaveLength(1);
  });

  test("that comes anew is told anew, since signing in forgets the license", async () => {
    await deployment.send(about("license.revoked"), signIn("phone-1/adele"));
    await deployment.send(signIn("phone-1/adele"));
    expect((await sessionOf("phone-1/adele")).facts.licensed).toBe(false);
  });

  test("whose answer got lost, and whose user changed meanwhile, is told the change when it is sent again", async () => {
    await deployment.send(about("license.revoked"));
    const event = signIn("phone-1/adele");
    let failed = false;
    const { results } = await sendThrough(async (call, carryOut) => {
      if (call !== "readMany" || failed) return carryOut();
      failed = true;
      throw LOST;
    }, event);
    expect(results[0]).toMatchObject({ status: "unknown", error: { outcomeUnknown: true } });
    await deployment.send(about("license.granted"));
    await deployment.send(event);
    await deployment.drainAll();
    expect((await sessionOf("phone-1/adele")).facts).toMatchObject({ licensed: true, userVersion: 2 });
  });

  test("is not stored where its session could not be put among those of its user", async () => {
    const { results } = await sendThrough(async (call, carryOut) => {
      if (call === "join") throw LOST;
      return carryOut();
    }, signIn("phone-1/adele"));
    expect(results[0]).toMatchObject({ status: "unknown", error: { outcomeUnknown: false } });
    await expect(sessionOf("phone-1/adele")).rejects.toThrow("no session");
  });
});

describe("the calls that ingest makes", () => {
  async function callsOf(...events: readonly object[]): Promise<string[]> {
    const calls: string[] = [];
    await sendThrough(
      async (call, carryOut) => {
        calls.push(call);
        return carryOut();
      },
      ...events,
    );
    return calls;
  }

  test("are one append a partition for events that neither sign in nor are about a user", async () => {
    const events = Array.from({ length: 50 }, (_, n) => deployment.event("app.launched", {}, `phone-${n}/adele`));
    expect(await callsOf(...events)).toEqual(["ingest", "ingest", "ingest", "ingest"]);
  });

  test("are two more for all sign-ins together", async () => {
    const events = Array.from({ length: 50 }, (_, n) => signIn(`phone-${n}/adele-${n}`));
    expect((await callsOf(...events)).sort()).toEqual(["ingest", "ingest", "ingest", "ingest", "join", "readMany"]);
  });
});

describe("a fan-out that stopped in the middle", () => {
  const DEVICES = Array.from({ length: 12 }, (_, n) => `phone-${n}/adele`);

  test.each([0, 1, 2, 3, 4])("after %i appends is resumed, and reaches every session exactly once", async (appends) => {
    await deployment.send(...DEVICES.map(signIn));
    let made = 0;
    const { totals } = await sendThrough(async (call, carryOut) => {
      if (call === "toldAll") throw LOST;
      if (call === "ingest" && ++made > appends) throw LOST;
      return carryOut();
    }, about("license.revoked"));
    expect(totals.accepted).toBe(1);

    expect(await resumeFanOuts(deployment)).toBe(1);
    expect(await resumeFanOuts(deployment)).toBe(0);
    for (const subject of DEVICES) {
      const told = typesOf(await recordsOf(subject)).filter((type) => type === "license.revoked");
      expect(told).toHaveLength(1);
    }
  });

  test("is overtaken by a later change, which then tells everything", async () => {
    await deployment.send(...DEVICES.map(signIn));
    await sendThrough(async (call, carryOut) => {
      if (call === "ingest") throw LOST;
      return carryOut();
    }, about("license.revoked"));
    await deployment.send(about("membership.changed", { groups: ["sales"] }));
    for (const subject of DEVICES) {
      const { facts } = await sessionOf(subject);
      expect(facts).toMatchObject({ licensed: false, groups: ["sales"], userVersion: 2 });
    }
    expect(await resumeFanOuts(deployment)).toBe(0);
  });

  test("can be told late: whoever knows more by then takes no note", async () => {
    await deployment.send(...DEVICES.map(signIn));
    const changed = await deployment.users.change({
      ...ADELE,
      next: (record, at) => withFacts(record, { licensed: false }, at),
      told: { source: "directory", id: "1", event: { type: "license.revoked" } },
      time: 0,
      fingerprint: null,
    });
    await deployment.send(about("license.granted"));
    if (changed.status === "changed" && changed.due !== null) await tellSessions(deployment, changed.due);
    for (const subject of DEVICES) {
      expect((await recordsOf(subject)).at(-1)).toMatchObject({ outcome: "stale", userVersion: 1 });
      expect((await sessionOf(subject)).facts).toMatchObject({ licensed: true, userVersion: 2 });
    }
  });
});

describe("a sign-in and a change at the same time", () => {
  /** Whatever stands between any two calls of the one, the other comes then. */
  test.each(["the change while the session signs in", "the sign-in while the user changes"])(
    "lose nothing: %s",
    async (which) => {
      let moments = 0;
      for (let moment = 0; moment <= moments; moment++) {
        deployment = newTestDeployment();
        await deployment.send(signIn("tablet-1/adele"));
        const outer = which.startsWith("the change") ? signIn("phone-1/adele") : about("license.revoked");
        const inner = which.startsWith("the change") ? about("license.revoked") : signIn("phone-1/adele");
        let calls = 0;
        await sendThrough(async (_call, carryOut) => {
          if (calls++ === moment) await deployment.send(inner);
          return carryOut();
        }, outer);
        if (calls <= moment) await deployment.send(inner);
        moments = Math.max(moments, calls);
        await deployment.drainAll();
        for (const subject of ["phone-1/adele", "tablet-1/adele"]) {
          const { facts } = await sessionOf(subject);
          expect(facts, `at call ${moment} to ${subject}`).toMatchObject({ licensed: false, userVersion: 1 });
        }
        const [stored] = await Promise.all([deployment.store.snapshot(0, "x"), resumeFanOuts(deployment)]);
        expect(stored).toBeNull();
      }
      expect(moments).toBeGreaterThan(3);
    },
  );
});

/** Somebody does something, and goes on trying until there is an answer. */
type Act =
  | { readonly do: "signIn"; readonly subject: string }
  | { readonly do: "event"; readonly type: string; readonly groups: readonly string[] }
  | { readonly do: "import"; readonly licensed: boolean }
  | { readonly do: "resume" }
  | { readonly do: "drain" };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("signIn" as const), subject: fc.constantFrom(...SUBJECTS) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      type: fc.constantFrom(
        "license.granted",
        "license.revoked",
        "membership.changed",
        "account.disabled",
        "account.enabled",
      ),
      groups: fc.subarray(["a", "b", "c"]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("import" as const), licensed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: "resume" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "drain" as const }) },
);

/** What becomes of a call: carried out, carried out but not answered, or lost on its way. */
const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant("answered" as const) },
  { weight: 1, arbitrary: fc.constant("answerLost" as const) },
  { weight: 1, arbitrary: fc.constant("lost" as const) },
);

test("whatever comes in between and gets lost, every session ends at the last record of its user", () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(act, { minLength: 2, maxLength: 10 }),
      fc.array(fate, { maxLength: 60 }),
      async (scheduler, acts, fates) => {
        deployment = newTestDeployment();
        let calls = 0;
        let isFaulty = true;
        const interpose: Interposer = async (call, carryOut) => {
          if (!isFaulty) return carryOut();
          const becomes = fates[calls++] ?? "answered";
          await scheduler.schedule(Promise.resolve(), call);
          if (becomes === "lost") throw LOST;
          const answer = await carryOut();
          if (becomes === "answerLost") throw LOST;
          return answer;
        };
        const target = throughTarget(interpose);
        const untilAnswered = async (event: object): Promise<void> => {
          for (;;) {
            const { results } = await ingest(target, TENANT, [event]);
            if (results[0]?.status !== "unknown") return;
          }
        };
        const perform = async (one: Act): Promise<void> => {
          if (one.do === "signIn") return untilAnswered(signIn(one.subject));
          if (one.do === "event")
            return untilAnswered(about(one.type, one.type === "membership.changed" ? { groups: one.groups } : {}));
          if (one.do === "drain") return deployment.drainAll();
          if (one.do === "resume") return void (await resumeFanOuts(target).catch(() => 0));
          const { licensed } = one;
          const next = (record: Parameters<typeof withFacts>[0], at: number) => withFacts(record, { licensed }, at);
          const changed = await target.users
            .change({ ...ADELE, next, time: deployment.now, fingerprint: null })
            .catch(() => undefined);
          if (changed?.status === "changed" && changed.due !== null)
            await tellSessions(target, changed.due).catch(() => 0);
        };
        await scheduler.waitFor(Promise.all(acts.map(perform)));

        isFaulty = false;
        await resumeFanOuts(target);
        const record = await deployment.users.read(ADELE);
        const signedIn = new Set(acts.flatMap((one) => (one.do === "signIn" ? [one.subject] : [])));
        // What was accepted alone says all of it, and so does what is stored in the end: no decision had to help.
        const asked = new Map<string, unknown>();
        for (const subject of signedIn) asked.set(subject, (await sessionOf(subject)).facts);
        await deployment.drainAll();
        const nobody = interposed(deployment.users, async (call, carryOut) =>
          call === "read" ? undefined : carryOut(),
        );
        for (const subject of signedIn) {
          const { session } = await look(
            { store: deployment.store, rules: deployment.rules, users: nobody },
            idOf(subject),
          );
          if (session === undefined || "unreadable" in session) throw new Error("no session");
          expect(asked.get(subject)).toEqual(session.facts);
          expect(session.facts.userVersion).toBe(record?.version);
          expect(session.facts.licensed).toBe(record?.licensed);
          expect(session.facts.groups).toEqual(record?.groups);
          expect(session.facts.accountDisabled).toBe(record?.account === "disabled" ? true : undefined);
        }
      },
    ),
    { numRuns: 300 },
  ));
