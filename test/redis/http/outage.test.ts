/** The API while Redis is gone or hangs: it answers, says what is not known, and sending again is safe. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";

let redis: PrivateRedis;
let api: TestApi;

beforeEach(async () => {
  redis = await startPrivateRedis({ fsync: "always" });
  api = await startApi({ redis: { url: redis.url, prefix: "gh", stop: () => redis.stop() } });
  // The key is known from here on, so that what follows is about the events.
  await api.ask("/v1/sessions");
});
afterEach(async () => {
  await api.stop();
});

const signIn = cloudEvent("account.signedIn", { platform: "ios" });
const decision = "/v1/decision?device=phone-1&user=adele";

describe("a Redis that hangs", () => {
  test("events are answered with 503 ingest.outcome_unknown, and sent again they count once", async () => {
    process.kill(redis.pid, "SIGSTOP");
    const { status, body, headers } = await api.ask("/v1/events", { body: [signIn] });
    expect([status, body.code, body.results]).toEqual([
      503,
      "ingest.outcome_unknown",
      [expect.objectContaining({ status: "unknown", id: signIn["id"] })],
    ]);
    expect(headers.get("retry-after")).toBe("1");
    process.kill(redis.pid, "SIGCONT");
    await expect
      .poll(async () => (await api.ask("/v1/events", { body: [signIn] })).status, { timeout: 15_000 })
      .toBe(202);
    expect((await api.ask("/v1/events", { body: [signIn] })).body.results).toEqual([
      { status: "duplicate", id: signIn["id"] },
    ]);
  });

  test("a decision is never allow", async () => {
    process.kill(redis.pid, "SIGSTOP");
    const { status, body } = await api.ask(decision);
    expect([status === 503 || body.decision === "deny", body.decision]).toEqual([
      true,
      expect.not.stringMatching("allow"),
    ]);
  });
});

describe("a Redis that is gone", () => {
  test("everything is answered: 503 with a code, or deny", async () => {
    await redis.stop();
    for (const path of [decision, "/v1/sessions", "/v1/keys", "/v1/policies"]) {
      const { status, body } = await api.ask(path);
      expect([path, status === 200 ? body.decision : body.code]).toEqual([
        path,
        expect.stringMatching(/^(deny|store\.unavailable)$/),
      ]);
    }
    const { status, body } = await api.ask("/v1/events", { body: [signIn] });
    expect([status, body.code]).toEqual([503, expect.stringMatching(/^(ingest\.outcome_unknown|store\.unavailable)$/)]);
  });
});
