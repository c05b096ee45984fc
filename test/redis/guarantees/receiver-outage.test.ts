/** P5: a webhook receiver that was down for an hour is left in peace meanwhile, and gets everything soon after it is back. `npm run bench -- outage` does so with an hour's effects. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { outage } from "../../../bench/webhooks/outage.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const EFFECTS = 1_000;
/** Its pause has grown to ten seconds by then. */
const NOTICED_WITHIN_SECONDS = 30;

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

test(
  "P5: at most one try a second while it is down, and soon after it is back everything is delivered, once",
  {
    timeout: 180_000,
  },
  async ({ annotate }) => {
    const { url, prefix } = redis;
    const options = { effects: EFFECTS, answerMs: 0, downSeconds: 5, progress: () => {} };
    const result = await outage({ ...options, redisUrl: url, prefix });
    await annotate(JSON.stringify(result));
    expect(result.peakPerSecond).toBeLessThanOrEqual(1);
    expect([result.missing, result.repeated]).toEqual([0, 0]);
    expect(result.noticedSeconds).toBeLessThanOrEqual(NOTICED_WITHIN_SECONDS);
  },
);
