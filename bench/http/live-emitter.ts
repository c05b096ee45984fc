/** Live traffic over HTTP: people of the fleet put the app away and take it up again, sent in small batches as a backend would. */
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../../src/client/index.js";
import { inChild, tell } from "../core/child.js";

/** Between two batches. */
const BATCH_MS = 20;

interface Input {
  readonly url: string;
  readonly key: string;
  readonly subjects: readonly string[];
  readonly eventsPerSecond: number;
}

inChild<Input>(async ({ url, key, subjects, eventsPerSecond }) => {
  const gatehouse = createClient({ url, key, lingerMs: 0 });
  const perBatch = Math.round((eventsPerSecond * BATCH_MS) / 1_000);
  const startedAt = performance.now();
  tell({ kind: "ready" });
  for (let batch = 0; ; batch++) {
    const waitMs = startedAt + batch * BATCH_MS - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const events = Array.from({ length: perBatch }, (_, n) => {
      const turn = batch * perBatch + n;
      const isAway = Math.floor(turn / subjects.length) % 2 === 1;
      return {
        specversion: "1.0",
        source: "app://bench",
        type: isAway ? "app.foregrounded" : "app.backgrounded",
        subject: subjects[turn % subjects.length] as string,
        time: new Date().toISOString(),
      } as const;
    });
    void gatehouse.emit(events).then(({ totals }) => {
      if (totals.accepted !== events.length) throw new Error("live traffic must be accepted whole");
    });
  }
});
