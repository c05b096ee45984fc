/** P2: a whole stream that is sent twice has its effects once, if the window of duplicates is sized for it. `npm run bench -- twice` does so with a million events. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { twice } from "../../../bench/twice/twice.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const EVENTS = 20_000;

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

test(
  `P2: ${EVENTS.toLocaleString("en")} events sent twice: no record and no effect the second time`,
  {
    timeout: 120_000,
  },
  async ({ annotate }) => {
    const result = await twice({ events: EVENTS, redisUrl: redis.url, prefix: redis.prefix, progress: () => {} });
    await annotate(JSON.stringify(result));
    expect(result).toMatchObject({ accepted: [EVENTS, 0], duplicates: [0, EVENTS] });
    expect([result.records[1], result.effects[1]]).toEqual([0, 0]);
    expect(result.effects[0]).toBeGreaterThan(EVENTS / 20);
  },
);
