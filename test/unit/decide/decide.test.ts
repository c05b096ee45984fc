import { beforeEach, describe, expect, test, vi } from "vitest";
import { look } from "../../../src/sessions/look.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { StoreUnavailableError } from "../../../src/errors.js";
import { partitionOf, sessionKey } from "../../../src/store/session-key.js";
import { POSTURE, SIX_DIGITS, TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";

const MINUTE_MS = 60_000;

const START_MS = Date.parse("2026-03-02T08:00:00Z");
let now: number;
let store: MemoryPartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  now = START_MS;
  store = new MemoryPartitionStore({ deployment: { partitionCount: 4 }, now: () => now });
  deployment = new TestDeployment(store, now);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
});

/** Time goes on, for producers and for the store. */
const wait = (ms: number): void => {
  now += ms;
  deployment.now = now;
};

describe("a decision", () => {
  test("is deny for somebody who never signed in", async () => {
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["session.unknown"], revision: 0 });
  });

  test("follows the events that were accepted, before any worker ran and after", async () => {
    await deployment.getIn();
    const before = await deployment.decide();
    expect(before).toMatchObject({ decision: "allow", state: "active", reasons: ["access.granted"], revision: 4 });

    await deployment.drainAll();
    expect(await deployment.decide()).toEqual(before);
  });

  test("says how long it can stand at most: until the offline limit, then until the recheck", async () => {
    await deployment.getIn();
    expect((await deployment.decide()).validUntil).toBe(START_MS + 720 * MINUTE_MS);
    await deployment.send(deployment.event("app.backgrounded"));
    expect((await deployment.decide()).validUntil).toBe(START_MS + 30 * MINUTE_MS);
  });

  test.each([
    ["a forced sign-out", "session.signOutForced", {}],
    ["a wipe", "wipe.requested", { requestId: "w1", scope: "app" }],
    ["a noncompliant verdict", "compliance.evaluated", { verdict: "noncompliant", scope: "mam" }],
    ["a revoked token", "token.revoked", { reason: "risk" }],
    ["a jailbreak", "posture.reported", { ...POSTURE, rooted: true }],
    ["a denial of conditional access", "ca.evaluated", { result: "denied", enforced: true, unsatisfied: ["block"] }],
  ])("takes access away from the moment %s is accepted, though no worker lives", async (_what, type, data) => {
    await deployment.getIn();
    await deployment.drainAll();
    await deployment.send(deployment.event(type, data));
    expect((await deployment.decide()).decision).not.toBe("allow");
  });

  test.each([
    ["a disabled account", "account.disabled", {}, "phone-1/adele"],
    ["a disabled account, on a device that nobody told", "account.disabled", {}, "adele"],
  ])(
    "takes access away from the moment %s is accepted, though no session could be told",
    async (_w, type, data, subject) => {
      await deployment.getIn();
      await deployment.drainAll();
      vi.spyOn(store, "ingest").mockRejectedValue(new StoreUnavailableError("gone", { outcomeUnknown: false }));
      const { totals } = await deployment.send(deployment.event(type, data, subject));
      expect(totals.accepted).toBe(1);
      expect((await deployment.decide()).decision).not.toBe("allow");
    },
  );

  test("obeys a license that was revoked, though no session could be told: nothing is managed any more", async () => {
    await deployment.getIn();
    await deployment.drainAll();
    vi.spyOn(store, "ingest").mockRejectedValue(new StoreUnavailableError("gone", { outcomeUnknown: false }));
    await deployment.send(deployment.event("license.revoked", {}, "adele"));
    expect(await deployment.decide()).toMatchObject({ state: "unenrolled.unmanaged", reasons: ["unmanaged"] });
  });

  test("is made on what the session was told, where that is as new as the record", async () => {
    await deployment.getIn();
    await deployment.send(deployment.event("membership.changed", { groups: ["sales"] }, "adele"));
    await deployment.drainAll();
    const { revision } = await deployment.decide();
    await deployment.drainAll();
    expect((await deployment.decide()).revision).toBe(revision);
    const { session } = await look(deployment, `${TENANT}/phone-1/adele/azure-mobile`);
    expect(session).toMatchObject({ revision });
  });

  test("ends access at its deadline, though nobody fires it", async () => {
    await deployment.getIn();
    await deployment.drainAll();
    await deployment.send(deployment.event("app.backgrounded"));
    await deployment.drainAll();

    wait(30 * MINUTE_MS - 1);
    expect((await deployment.decide()).decision).toBe("allow");
    wait(1);
    expect(await deployment.decide()).toMatchObject({ decision: "challenge", reasons: ["pin.required"] });
  });

  test("obeys a stricter policy from its publishing on, though no session was touched", async () => {
    await deployment.getIn();
    await deployment.drainAll();
    await deployment.publish(2, [samplePolicy("contoso-ios-level2-noon")]);
    expect(await deployment.decide()).toMatchObject({ decision: "challenge", reasons: ["pin.setup.rules"] });
  });

  test("is deny while the device has said nothing of itself", async () => {
    await deployment.send(
      deployment.event("account.signedIn", { platform: "ios" }),
      deployment.event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
      deployment.event("pin.set", { descriptor: SIX_DIGITS }),
    );
    expect(await deployment.decide()).toMatchObject({
      decision: "deny",
      state: "locked",
      reasons: ["posture.unknown"],
    });
  });
});

describe("doubt is deny", () => {
  test("when the store does not answer", async () => {
    await deployment.getIn();
    vi.spyOn(store, "peek").mockRejectedValue(new StoreUnavailableError("no answer", { outcomeUnknown: false }));
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["store.unavailable"] });
  });

  test.each([
    ["is not JSON", () => "{"],
    ["lacks its facts", () => '{"v":1,"id":"x"}'],
    ["was written by another version", (text: string) => text.replace('"v":1', '"v":2')],
    ["names a state that is none", (text: string) => text.replace('"s":"active"', '"s":"open"')],
    ["is another session's", (text: string) => text.replace("/adele/", "/bob/")],
  ])("when the snapshot %s", async (_what, damage) => {
    await deployment.getIn();
    await deployment.drainAll();
    const peek = store.peek.bind(store);
    vi.spyOn(store, "peek").mockImplementation(async (...asked) => {
      const seen = await peek(...asked);
      return { ...seen, snapshot: damage(seen.snapshot ?? "") };
    });
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["snapshot.unreadable"] });
  });

  test("when the catalogue that is in force can't be read", async () => {
    await deployment.getIn();
    vi.spyOn(deployment.catalogues, "catalogue").mockRejectedValue(new Error("gone"));
    expect((await deployment.decide()).decision).toBe("deny");
  });
});

describe("a session whose snapshot is damaged", () => {
  test("takes no event, is not overwritten, and does not hold up the others", async () => {
    await deployment.getIn();
    await deployment.drainAll();
    const partition = partitionOf(TENANT, "phone-1", 4);
    const key = sessionKey(`${TENANT}/phone-1/adele/azure-mobile`);
    const load = store.load.bind(store);
    vi.spyOn(store, "load").mockImplementation(async (...asked) => {
      const batch = await load(...asked);
      return {
        ...batch,
        snapshots: new Map([...batch.snapshots].map(([one, text]) => [one, one === key ? "{" : text])),
      };
    });
    const stored = await store.snapshot(partition, key);

    await deployment.getIn("phone-1/bob");
    await deployment.send(deployment.event("app.backgrounded"));
    await deployment.drainAll();

    expect(await store.snapshot(partition, key)).toBe(stored);
    expect((await deployment.decide("phone-1", "bob")).decision).toBe("allow");
    expect((await deployment.counters())["quarantined"]).toBe(1);
  });

  test("is left to the release that wrote it, if it is only of another version", async () => {
    await deployment.getIn();
    await deployment.drainAll();
    const load = store.load.bind(store);
    vi.spyOn(store, "load").mockImplementation(async (...asked) => {
      const batch = await load(...asked);
      return {
        ...batch,
        snapshots: new Map([...batch.snapshots].map(([key, text]) => [key, text.replace('"v":1', '"v":99')])),
      };
    });
    await deployment.send(deployment.event("app.backgrounded"));
    expect(await deployment.drainer.drain(partitionOf(TENANT, "phone-1", 4))).toBe("failed");
    expect((await deployment.counters())["applied"]).toBe(4);
  });
});
