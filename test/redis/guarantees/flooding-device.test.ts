/** S13: one device floods with thousands of events a second: it is told to wait, and everybody else is served. `npm run bench -- flood` measures how long they wait. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type TestApi, cloudEvent, startApi } from "../../support/api-server.js";

const FLOOD_PER_SECOND = 5_000;
const EVENTS_A_REQUEST = 100;
const FOR_MS = 1_000;
/** Fewer than by default, so that a busy machine's flood exceeds it, too. */
const ALLOWED_PER_SECOND = 20;
const OTHERS = 10;

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ limits: { eventsPerDevice: ALLOWED_PER_SECOND } });
});
afterAll(() => api.stop());

const report = async (device: string, count: number): Promise<Answer> =>
  api.ask("/v1/events", {
    body: Array.from({ length: count }, () => cloudEvent("app.backgrounded", {}, { subject: `${device}/adele` })),
  });

test(
  "S13: a flood of 5,000 events a second of one device is refused, and nothing of the others is",
  { timeout: 60_000 },
  async ({ annotate }) => {
    const flood: Promise<Answer>[] = [];
    const others: Promise<Answer>[] = [];
    const requests = (FLOOD_PER_SECOND / EVENTS_A_REQUEST) * (FOR_MS / 1_000);
    const startedAt = performance.now();
    for (let n = 0; n < requests; n++) {
      const early = startedAt + (n * FOR_MS) / requests - performance.now();
      if (early > 0) await delay(early);
      flood.push(report("flooding", EVENTS_A_REQUEST));
      if (n % 2 === 0) others.push(report(`calm-${(n / 2) % OTHERS}`, 1));
    }
    const [flooded, calm] = [await Promise.all(flood), await Promise.all(others)];
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(new Set(calm.map(({ status }) => status))).toEqual(new Set([202]));
    const sum = { accepted: 0, refused: 0 };
    for (const { body, headers } of flooded) {
      sum.accepted += body.totals.accepted;
      sum.refused += body.totals.refused;
      if (body.totals.refused === 0) continue;
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
      expect(body.results.at(-1)).toMatchObject({ status: "refused", code: "rate.limited" });
    }
    await annotate(`${sum.accepted} accepted and ${sum.refused} refused within ${seconds.toFixed(1)} s`);
    expect(sum.accepted + sum.refused).toBe(requests * EVENTS_A_REQUEST);
    expect(sum.accepted).toBeLessThanOrEqual(ALLOWED_PER_SECOND * (seconds + 2));
  },
);
