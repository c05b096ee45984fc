/** Wiping and signing out by an administrator, on a real Redis: everybody meant is reached, once, also when it is run again. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EndScope, type Ending, endSessions, previewEnding } from "../../../src/ending/end-sessions.js";
import { StoreUnavailableError } from "../../../src/errors.js";
import { connectStore } from "../../../src/redis/connection.js";
import { readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { RedisUserStore } from "../../../src/users/redis-user-store.js";
import { interposed } from "../../support/interposed.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const ADELE: EndScope = { tenant: TENANT, user: "adele" };
const WIPE: Ending = { what: "wipe", scope: "app" };
const DEVICES = ["phone-1", "phone-2", "tablet-1"];

let server: TestRedis;
let redis: Redis;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  const { prefix } = server;
  store = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: 4, clock: "event" } });
  const users = new RedisUserStore(redis, { prefix, deployment: store.deployment });
  deployment = new TestDeployment(store, undefined, undefined, users);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  for (const device of DEVICES) await deployment.getIn(`${device}/adele`);
  await deployment.getIn("phone-1/bruno");
  await deployment.drainAll();
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const preview = async (ending: Ending, scope = ADELE) => previewEnding(deployment, scope, ending);
const carryOut = async (ending: Ending, scope = ADELE) =>
  endSessions(deployment, TENANT, await previewEnding(deployment, scope, ending));

async function records(type: string): Promise<number> {
  let found = 0;
  for (const device of DEVICES) {
    const { partition, lastRecord } = await look(deployment, `${TENANT}/${device}/adele/azure-mobile`);
    const { records: all } = await readHistory(store, partition, lastRecord);
    found += all.filter(({ event, outcome }) => event.type === type && outcome === "applied").length;
  }
  return found;
}

describe("a wipe", () => {
  test("is previewed for each session, and changes nothing before", async () => {
    const found = await preview(WIPE);
    expect(found.map(({ session }) => session.split("/")[1])).toEqual(DEVICES);
    expect(found[0]).toMatchObject({ state: "active", to: "signedOut", effects: expect.arrayContaining(["wipe"]) });
    expect((await deployment.decide()).decision).toBe("allow");
  });

  test("denies at once, without a worker, and for nobody else", async () => {
    expect(await carryOut(WIPE)).toMatchObject(DEVICES.map(() => ({ status: "sent" })));
    for (const device of DEVICES) {
      expect(await deployment.decide(device)).toMatchObject({
        decision: "deny",
        reasons: ["signedOut.wipeRequested"],
      });
    }
    expect((await deployment.decide("phone-1", "bruno")).decision).toBe("allow");
  });

  test("can be of one device or one app", async () => {
    await carryOut(WIPE, { ...ADELE, device: "phone-2" });
    expect((await deployment.decide("phone-1")).decision).toBe("allow");
    expect((await deployment.decide("phone-2")).decision).toBe("deny");
    expect(await preview(WIPE, { ...ADELE, app: "other-app" })).toEqual([]);
  });

  test("run again asks no session twice, whether a worker came in between or not", async () => {
    for (const happens of [async () => undefined, async () => deployment.drainAll()]) {
      await carryOut(WIPE);
      await happens();
      expect((await preview(WIPE)).map(({ passedBy }) => passedBy)).toEqual(DEVICES.map(() => "wipe pending"));
      expect(await carryOut(WIPE)).toEqual([]);
    }
    await deployment.drainAll();
    expect(await records("wipe.requested")).toBe(3);
  });

  test("of the same look sent twice is one", async () => {
    const found = await preview(WIPE);
    await endSessions(deployment, TENANT, found);
    expect(await endSessions(deployment, TENANT, found)).toMatchObject(DEVICES.map(() => ({ status: "before" })));
    await deployment.drainAll();
    expect(await records("wipe.requested")).toBe(3);
  });

  test("cut short by an answer that is lost goes on when run again", async () => {
    let calls = 0;
    const failing = interposed(store, async (call, carry) => {
      if (call !== "ingest" || ++calls !== 2) return carry();
      await carry();
      throw new StoreUnavailableError("the answer was lost", { outcomeUnknown: true });
    });
    const found = await preview(WIPE);
    const { users, rules, wake } = deployment;
    const cut = endSessions({ store: failing, users, rules, wake }, TENANT, found);
    await expect(cut).rejects.toThrow(/run it again/);
    await carryOut(WIPE);
    await deployment.drainAll();
    expect(await records("wipe.requested")).toBe(3);
    for (const device of DEVICES) expect((await deployment.decide(device)).decision).toBe("deny");
  });

  test("of the user comes before the next sign-in, until it is cancelled", async () => {
    await carryOut({ what: "wipe", scope: "user" });
    await deployment.drainAll();
    await deployment.getIn();
    expect(await deployment.decide()).toMatchObject({ decision: "deny" });
    await carryOut({ what: "cancelWipe" });
    await deployment.drainAll();
    expect(await records("wipe.cancelled")).toBe(3);
    await deployment.getIn();
    // The PIN that is there has to be given.
    expect((await deployment.decide()).decision).toBe("challenge");
    expect((await preview({ what: "cancelWipe" }))[1]).toMatchObject({ passedBy: "no wipe" });
  });
});

describe("a sign-out", () => {
  test("ends sessions that are not over, with the note, and only once", async () => {
    const ending: Ending = { what: "signOut", note: "handed on" };
    await carryOut(ending, { ...ADELE, device: "phone-1" });
    await deployment.drainAll();
    expect((await preview(ending)).map(({ passedBy }) => passedBy)).toEqual(["signed out", undefined, undefined]);
    await carryOut(ending);
    await deployment.drainAll();
    expect(await records("session.signOutForced")).toBe(3);
    expect(await deployment.decide()).toMatchObject({ decision: "deny", reasons: ["signedOut.adminForced"] });
    await deployment.getIn();
    // The PIN that is there has to be given.
    expect((await deployment.decide()).decision).toBe("challenge");
  });
});
