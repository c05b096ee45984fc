/** The names that completion offers, on a real Redis: those that are there, of the tenant, that begin as typed. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveNames } from "../../src/cli/completion/live-names.js";
import type { LiveKind } from "../../src/cli/completion/suggest.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { ingest } from "../../src/ingest/ingest.js";
import { TENANT, TestDeployment } from "../support/deployment.js";
import { type TestRedis, startRedis } from "../support/redis-server.js";

let server: TestRedis;
let source: OpenDeployment;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  source = await openDeployment({ redis: server.url, prefix: server.prefix, deployment: { partitionCount: 4 } });
  deployment = new TestDeployment(source.store, undefined, undefined, source.users);
  for (const subject of ["phone-17/adele", "phone-17/bruno", "tablet-1/adele", "tablet-2/zoe"])
    await deployment.getIn(subject);
  await ingest(deployment, "fabrikam", [
    deployment.event("account.signedIn", { platform: "ios", interactive: true }, "phone-17/mallory"),
  ]);
  await deployment.send(deployment.event("account.disabled", {}, "phone-99/anton"));
  await deployment.drainAll();
});
afterEach(async () => {
  await source.close();
  await server.stop();
});

const names = async (kind: LiveKind, beginning = "", until = new AbortController().signal) =>
  (await liveNames(source, TENANT, kind, beginning, until)).map(({ value }) => value);

test.each<[LiveKind, string, string[]]>([
  ["session", "", ["phone-17/adele", "phone-17/bruno", "tablet-1/adele", "tablet-2/zoe"]],
  ["session", "tab", ["tablet-1/adele", "tablet-2/zoe"]],
  ["session", "phone-17/b", ["phone-17/bruno"]],
  ["session", "adele", []],
  ["device", "", ["phone-17", "tablet-1", "tablet-2"]],
  ["device", "tablet-", ["tablet-1", "tablet-2"]],
  ["user", "", ["adele", "anton", "bruno", "zoe"]],
  ["user", "a", ["adele", "anton"]],
  ["user", "phone", []],
])("%s %j", async (kind, beginning, expected) => {
  expect(await names(kind, beginning)).toEqual(expected);
});

test.each(["*", "a?e", '"', "\\", "ä", "["])("%j is in no name, and asks for none", async (beginning) => {
  for (const kind of ["session", "user", "device"] as const) expect(await names(kind, beginning)).toEqual([]);
});

test("when time is up, what was found by then is the answer", async () => {
  expect(await names("session", "", AbortSignal.abort())).toEqual([]);
});
