/** A large batch does not keep others waiting: it is read and sent some events at a time, and what comes of it is the same. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type IngestOptions, ingest } from "../../../src/ingest/ingest.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type Interposer, interposed } from "../../support/interposed.js";

const DEVICES = 200;

/** Each device's sign-in, then each device's next event. */
function batch(deployment: TestDeployment): object[] {
  const devices = Array.from({ length: DEVICES }, (_, n) => `phone-${n}/adele`);
  return [
    ...devices.map((subject) => deployment.event("account.signedIn", { platform: "ios" }, subject)),
    ...devices.map((subject) => deployment.event("app.backgrounded", {}, subject)),
  ];
}

/** @param interpose stands between the batch and the store */
async function send(options: IngestOptions, interpose: Interposer = async (_, carryOut) => carryOut()) {
  const store = new MemoryPartitionStore({ deployment: { partitionCount: 16, clock: "event" } });
  const deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  const target = { store: interposed(store, interpose), users: deployment.users, wake: () => {} };
  const { totals } = await ingest(target, TENANT, batch(deployment), options);
  await deployment.drainAll();
  const states = [];
  for (let partition = 0; partition < store.deployment.partitionCount; partition++)
    states.push(...(await store.scan(partition, null, 1_000)).snapshots);
  return { totals, states: states.map((text) => (JSON.parse(text) as { readonly s: string }).s) };
}

describe("a batch that pauses", () => {
  test("lets others have a turn while it is read, and while it is sent", async () => {
    let sent = 0;
    const pausedAfter: number[] = [];
    const pause = async () => pausedAfter.push(sent);
    await send({ pause }, async (call, carryOut) => {
      if (call === "ingest") sent++;
      return carryOut();
    });
    expect(pausedAfter.filter((calls) => calls === 0).length, "while it was read").toBeGreaterThan(1);
    expect(pausedAfter.filter((calls) => calls > 0 && calls < sent).length, "while it was sent").toBeGreaterThan(1);
  });

  test("comes to what it comes to without a pause", async () => {
    const paused = await send({ pause: setImmediate });
    expect(paused.totals).toMatchObject({ sent: 2 * DEVICES, accepted: 2 * DEVICES });
    expect(paused.states).toHaveLength(DEVICES);
    expect(paused).toEqual(await send({}));
  });

  test("that fails while it pauses fails as a whole, and nothing is left unheard", async () => {
    let calls = 0;
    const failing = send({ pause: setImmediate }, async (call, carryOut) => {
      if (call === "ingest" && ++calls === 1) throw new Error("a fault of the store's");
      return carryOut();
    });
    await expect(failing).rejects.toThrow("a fault of the store's");
  });
});
