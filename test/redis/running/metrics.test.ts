/** The metrics tell what happened: in this process, and in the deployment whoever did it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MetricsServer, startMetricsServer } from "../../../src/metrics/metrics-server.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";
import { POSTURE, SIX_DIGITS, samplePolicy } from "../../support/deployment.js";

let api: TestApi;
let server: MetricsServer;

beforeAll(async () => {
  api = await startApi({ worker: true });
  server = await startMetricsServer(
    { metrics: api.metrics, readiness: async () => api.api.dependencies.readiness() },
    { host: "127.0.0.1", port: 0 },
  );
  await api.ask("/v1/policies/import", { body: samplePolicy("contoso-ios-level2") });
  await api.ask("/v1/policy-publish", { body: {} });
  const event = (type: string, data: object) => cloudEvent(type, data);
  const first = event("account.signedIn", { platform: "ios", interactive: true });
  await api.ask("/v1/events", {
    body: [
      first,
      event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
      event("posture.reported", POSTURE),
      event("pin.set", { descriptor: SIX_DIGITS }),
      event("no.such", {}),
      first,
    ],
    headers: { prefer: "wait=5" },
  });
  await api.ask("/v1/decision?device=phone-1&user=adele");
});
afterAll(async () => {
  server.close();
  await api.stop();
});

const read = async () => (await fetch(`${server.url}/metrics`)).text();
const value = async (name: string) => {
  const line = (await read()).split("\n").find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
};

describe("what was counted", () => {
  test.each([
    ['gatehouse_ingested_events_total{outcome="accepted"}', 4],
    ['gatehouse_ingested_events_total{outcome="duplicate"}', 1],
    ['gatehouse_ingested_events_total{outcome="refused"}', 1],
    ['gatehouse_decisions_total{decision="allow"}', 1],
    ["gatehouse_decision_seconds_count", 1],
    ['gatehouse_http_requests_total{method="POST",route="/v1/events",status="207"}', 1],
    ['gatehouse_processed_events_total{outcome="applied"}', 4],
    ['gatehouse_transitions_total{from="none",to="unenrolled"}', 1],
    ['gatehouse_transitions_total{from="pinSetup",to="active"}', 1],
    ['gatehouse_sessions{state="active"}', 1],
    ['gatehouse_partition_waiting_events{partition="0"}', 0],
    ["gatehouse_durability_class", 0],
    ["gatehouse_store_reachable", 1],
  ])("%s is %i", async (name, expected) => {
    await expect.poll(async () => value(name)).toBe(expected);
  });

  test("no name of a tenant, a user or a device is in them", async () => {
    expect(await read()).not.toMatch(/contoso|adele|phone-1/);
  });
});

describe("what is written about them", () => {
  const text = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8");
  const names = async () =>
    new Set([...(await read()).matchAll(/^# HELP (gatehouse_\w+)/gm)].map(([, name]) => name as string));

  test("docs/metrics.md lists each of them, and none besides", async () => {
    const listed = [...text("docs/metrics.md").matchAll(/^\| `(gatehouse_\w+)/gm)].map(([, name]) => name as string);
    expect(new Set(listed)).toEqual(await names());
  });

  test.each(["ops/grafana/gatehouse.json", "ops/prometheus/alerts.yml"])(
    "%s asks for none that is not there",
    async (path) => {
      const known = await names();
      const asked = [...text(path).matchAll(/gatehouse_[a-z_]+/g)].map(([name]) =>
        name.replace(/_(bucket|sum|count)$/, ""),
      );
      expect(asked.length).toBeGreaterThan(0);
      for (const name of new Set(asked)) expect(known).toContain(name);
    },
  );

  test("the dashboard is JSON with a data source to choose, and shows every metric", async () => {
    const dashboard = text("ops/grafana/gatehouse.json");
    expect(JSON.parse(dashboard)).toMatchObject({ templating: { list: [{ type: "datasource" }] } });
    for (const name of await names()) expect(dashboard).toContain(name);
  });

  test("every alert leads to what to do", () => {
    const rules = text("ops/prometheus/alerts.yml");
    const page = text("docs/running.md").toLowerCase();
    const anchors = [...rules.matchAll(/runbook: docs\/running\.md#([\w-]+)/g)].map(([, anchor]) => anchor as string);
    expect(anchors).toHaveLength([...rules.matchAll(/^ +- alert: /gm)].length);
    for (const anchor of anchors) expect(page).toContain(`### ${anchor.replaceAll("-", " ")}\n`);
  });
});

describe("probes", () => {
  test("/livez and /readyz answer on the API's port and on the metrics' port", async () => {
    for (const url of [api.url, server.url]) {
      expect((await fetch(`${url}/livez`)).status).toBe(200);
      const ready = await fetch(`${url}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true, durability: "D0" }]);
    }
  });

  test("another path of the metrics' port is not there", async () => {
    expect((await fetch(`${server.url}/v1/sessions`)).status).toBe(404);
  });
});
