/** Reports events over HTTP at a steady rate, whether the earlier ones were answered or not, and tells how long each answer took and what it was. */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { inChild, tell } from "../core/child.js";

interface Input {
  readonly url: string;
  readonly key: string;
  /** In turn. */
  readonly subjects: readonly string[];
  readonly eventsPerSecond: number;
  readonly eventsPerRequest: number;
}

/** Since the last time that they were asked for. */
export interface Answered {
  readonly kind: "answered";
  /** Ms each, in the order in which they were asked. */
  readonly waits: readonly number[];
  /** Requests by the status of their answers, and events by what became of them. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly totals: Readonly<Record<string, number>>;
}

inChild<Input>(async ({ url, key, subjects, eventsPerSecond, eventsPerRequest }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const { hostname, port } = new URL(url);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  let waits: number[] = [];
  let statuses: Record<string, number> = {};
  let totals: Record<string, number> = {};
  const report = (events: readonly object[]): void => {
    const startedAt = performance.now();
    const sent = request({ agent, hostname, port, method: "POST", path: "/v1/events", headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.once("end", () => {
        waits.push(performance.now() - startedAt);
        const status = String(response.statusCode);
        statuses[status] = (statuses[status] ?? 0) + 1;
        const answer = JSON.parse(Buffer.concat(parts).toString()) as { totals?: Record<string, number> };
        for (const [name, n] of Object.entries(answer.totals ?? {})) totals[name] = (totals[name] ?? 0) + n;
      });
    });
    sent.once("error", (error) => {
      throw error;
    });
    sent.end(JSON.stringify(events));
  };
  process.on("message", () => {
    tell({ kind: "answered", waits, statuses, totals });
    [waits, statuses, totals] = [[], {}, {}];
  });
  tell({ kind: "ready" });
  let n = 0;
  const eventOf = (): object => {
    const turn = n++;
    return {
      specversion: "1.0",
      id: randomUUID(),
      source: "app://bench",
      type: Math.floor(turn / subjects.length) % 2 === 0 ? "app.backgrounded" : "app.foregrounded",
      subject: subjects[turn % subjects.length],
      time: new Date().toISOString(),
      data: {},
    };
  };
  const startedAt = performance.now();
  for (let sent = 0; ;) {
    const due = Math.ceil((((performance.now() - startedAt) / 1_000) * eventsPerSecond) / eventsPerRequest);
    for (; sent < due; sent++) report(Array.from({ length: eventsPerRequest }, eventOf));
    await delay(1);
  }
});
