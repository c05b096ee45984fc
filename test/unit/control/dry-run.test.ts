/** A dry run says what publishing does to the sessions as they stand, and does nothing. */
import { beforeEach, expect, test } from "vitest";
import { readCatalogue } from "../../../src/control/catalogue-document.js";
import { dryRun } from "../../../src/control/dry-run.js";
import { MemoryPartitionStore } from "../../../src/store/memory/memory-partition-store.js";
import { TENANT, TestDeployment } from "../../support/deployment.js";
import { content, ios } from "./support.js";

let deployment: TestDeployment;

const candidate = (...policies: readonly unknown[]) => readCatalogue({ ...content(...policies), version: 2 });
const run = (...policies: readonly unknown[]) => dryRun(deployment, TENANT, candidate(...policies));

/** Each session's state as it is now, by the sessions' own ids. */
async function states(): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  for (const device of ["phone-1", "phone-2", "phone-3"]) found[device] = (await deployment.decide(device)).state;
  return found;
}

beforeEach(async () => {
  deployment = new TestDeployment(new MemoryPartitionStore({ deployment: { partitionCount: 4, clock: "event" } }));
  await deployment.publish(1, [ios]);
  for (const device of ["phone-1", "phone-2", "phone-3"]) await deployment.getIn(`${device}/adele`);
  // It rests without access.
  await deployment.send(deployment.event("session.signOutForced", {}, "phone-3/adele"));
  await deployment.drainAll();
});

test("equal rules change nothing", async () => {
  expect(await run({ ...ios, printBlocked: true })).toEqual({
    sessions: 3,
    stateChanges: 0,
    rulesOnly: 0,
    loseAccess: 0,
    gainAccess: 0,
    challenged: 0,
    wiped: 0,
    wipedExamples: [],
    moves: [],
    unreadable: 0,
  });
});

test("what it says comes about, and by publishing alone", async () => {
  const before = await states();
  const modern = { ...ios, minimumRequiredOsVersion: "18.0" };
  const said = await run(modern);
  expect(await states()).toEqual(before);

  await deployment.publish(2, [modern]);
  const after = await states();
  expect([before["phone-1"], after["phone-1"], after["phone-3"]]).toEqual(["active", said.moves[0]?.to, "signedOut"]);
  expect(said).toMatchObject({ sessions: 3, stateChanges: 2, rulesOnly: 1, loseAccess: 2, gainAccess: 0, wiped: 0 });
  expect(said.moves).toMatchObject([{ from: "active", sessions: 2, examples: [{ session: expect.any(String) }, {}] }]);
  expect(said.moves[0]?.examples[0]?.reasons).toContain("noncompliant.osVersion");
});

test("a longer PIN asks everybody for a new one, and takes nobody's access", async () => {
  expect(await run({ ...ios, minimumPinLength: 8 })).toMatchObject({
    stateChanges: 2,
    challenged: 2,
    loseAccess: 0,
    moves: [{ from: "active", to: "pinSetup", sessions: 2 }],
  });
});

test("rules that change while the state stays are counted, too", async () => {
  expect(await run({ ...ios, maximumPinRetries: 9 })).toMatchObject({ stateChanges: 0, rulesOnly: 3 });
});

test("a wipe stands out", async () => {
  const said = await run({ ...ios, minimumWipeOsVersion: "18.0" });
  expect(said).toMatchObject({ wiped: 2, loseAccess: 2 });
  expect(said.wipedExamples.map(({ session }) => session.split("/")[1])).toEqual(
    expect.arrayContaining(["phone-1", "phone-2"]),
  );
});

test("access that a milder policy gives back is told", async () => {
  const settings = { dispositions: { osVersion: "wait" } };
  await deployment.publish(2, [{ ...ios, minimumRequiredOsVersion: "18.0" }], settings);
  await deployment.drainAll();
  const said = await dryRun(deployment, TENANT, readCatalogue({ ...content(ios), settings, version: 3 }));
  expect(said).toMatchObject({ gainAccess: 2, loseAccess: 0, moves: [{ from: "noncompliant", sessions: 2 }] });
});

test("what was published a moment ago counts as in force, though no worker took it in", async () => {
  const modern = { ...ios, minimumRequiredOsVersion: "18.0" };
  await deployment.publish(2, [modern]);
  const said = await dryRun(deployment, TENANT, readCatalogue({ ...content(modern), version: 3 }));
  expect(said).toMatchObject({ sessions: 3, stateChanges: 0, rulesOnly: 0 });
});

test("nothing is written", async () => {
  const texts = async () => {
    const all = await Promise.all([0, 1, 2, 3].map((partition) => deployment.store.scan(partition, null, 100)));
    return all.flatMap(({ snapshots }) => snapshots);
  };
  const before = await texts();
  await run({ ...ios, minimumWipeOsVersion: "18.0" });
  expect([await texts(), await deployment.counters()]).toEqual([before, await deployment.counters()]);
});

test("other tenants' sessions are left out", async () => {
  expect(await dryRun(deployment, "tailspin", candidate(ios))).toMatchObject({ sessions: 0, stateChanges: 0 });
});
