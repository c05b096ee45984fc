/** `npm run bench`: runs a benchmark and prints a table, or one JSON object with `--json`. */
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { type CoreResult, core } from "./core/core.js";
import { type FanoutResult, fanout } from "./fanout/fanout.js";
import { type FloodResult, flood } from "./flood/flood.js";
import { type HttpResult, http } from "./http/http.js";
import { type ReplayResult, replay } from "./replay/replay.js";
import { type OutageResult, outage } from "./webhooks/outage.js";
import { type TwiceResult, twice } from "./twice/twice.js";
import { startPrivateRedis } from "../src/redis/private-server.js";

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number, 1 or more");
  return value;
};

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("a whole number, 0 or more");
  return value;
};

const program = new Command("bench")
  .description("Measures Gatehouse. Rates are compared within one run: machines differ, ratios hold.")
  .addHelpText("after", "\nExample:\n  npm run bench -- --json\n  npm run bench -- fanout --sessions 100000");

program
  .command("core", { isDefault: true })
  .description("beside XState alone and the plain way with BullMQ, on the same events")
  .option("--devices <n>", "devices of the generated day, about 50 events each", positive, 2_000)
  .option("--sessions <n>", "idle sessions to measure the memory of", positive, 100_000)
  .option("--json", "one JSON object on stdout")
  .action(async ({ json, ...options }: { devices: number; sessions: number; json?: true }) => {
    const result = await core({ ...options, progress });
    print(json ? JSON.stringify(result) : table(result));
  });

program
  .command("fanout")
  .description("one policy change over a fleet at rest, beside live traffic")
  .option("--sessions <n>", "sessions of the fleet", positive, 1_000_000)
  .option("--events-per-second <n>", "live traffic", positive, 2_000)
  .option("--json", "one JSON object on stdout")
  .action(async ({ json, ...options }: { sessions: number; eventsPerSecond: number; json?: true }) => {
    const result = await fanout({ ...options, progress });
    print(json ? JSON.stringify(result) : fanoutText(result));
  });

program
  .command("http")
  .description("the HTTP API: ingest beside the direct client, decisions beside a bare request")
  .option("--devices <n>", "devices of the generated day that is ingested, about 50 events each", positive, 1_000)
  .option("--seconds <n>", "how long decisions are measured", positive, 15)
  .option("--requests-per-second <n>", "decisions", positive, 1_000)
  .option("--events-per-second <n>", "live traffic beside them", positive, 2_000)
  .option("--json", "one JSON object on stdout")
  .action(
    async ({
      json,
      ...options
    }: {
      devices: number;
      seconds: number;
      requestsPerSecond: number;
      eventsPerSecond: number;
      json?: true;
    }) => {
      const result = await http({ ...options, progress });
      print(json ? JSON.stringify(result) : httpText(result));
    },
  );

program
  .command("replay")
  .description("a journal folded again beside XState alone, verified, and one long session explained")
  .option("--devices <n>", "devices of the generated day, about 50 events each", positive, 4_000)
  .option("--events <n>", "events of the session that is explained", positive, 10_000)
  .option("--json", "one JSON object on stdout")
  .action(async ({ json, ...options }: { devices: number; events: number; json?: true }) => {
    const result = await replay({ ...options, progress });
    print(json ? JSON.stringify(result) : replayText(result));
  });

program
  .command("flood")
  .description("one device floods the API: what becomes of it, and how much longer others wait")
  .option("--seconds <n>", "how long each half is measured", positive, 15)
  .option("--events-per-second <n>", "of all the others", positive, 200)
  .option("--flood-per-second <n>", "of the device that floods", positive, 5_000)
  .option("--json", "one JSON object on stdout")
  .action(
    async ({ json, ...options }: { seconds: number; eventsPerSecond: number; floodPerSecond: number; json?: true }) => {
      const result = await flood({ ...options, progress });
      print(json ? JSON.stringify(result) : floodText(result));
    },
  );

program
  .command("outage")
  .description("a webhook receiver that was down for an hour: how often it is tried, and how soon it has everything")
  .option("--effects <n>", "that wait when it is back; 50 a second make 180,000 an hour", positive, 180_000)
  .option("--answer-ms <n>", "that the receiver takes for each", whole, 0)
  .option("--down-seconds <n>", "watched while it is down", positive, 30)
  .option("--json", "one JSON object on stdout")
  .action(async ({ json, ...options }: { effects: number; answerMs: number; downSeconds: number; json?: true }) => {
    const server = await startPrivateRedis({ fsync: "always" });
    const result = await outage({ ...options, redisUrl: server.url, prefix: "bench", progress });
    await server.stop();
    print(json ? JSON.stringify(result) : outageText(result));
  });

program
  .command("twice")
  .description("a whole stream sent twice: the second time nothing may follow. Exit code 1 if something does")
  .option("--events <n>", "events of the stream", positive, 1_000_000)
  .option("--json", "one JSON object on stdout")
  .addHelpText("after", "\nExample:\n  npm run bench -- twice --events 100000 --json")
  .action(async ({ json, events }: { events: number; json?: true }) => {
    const server = await startPrivateRedis({ fsync: "always" });
    const result = await twice({ events, redisUrl: server.url, prefix: "bench", progress });
    await server.stop();
    print(json ? JSON.stringify(result) : twiceText(result));
    const isHarmless = result.accepted[1] + result.records[1] + result.effects[1] === 0;
    if (!isHarmless || result.accepted[0] !== events) process.exitCode = 1;
  });

await program.parseAsync();
process.exit();

function progress(what: string): void {
  process.stderr.write(`measuring: ${what}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fanoutText({ sessions, sessionsPerSecond, p99Ms, p99MsIdle, resolves }: FanoutResult): string {
  return [
    `${sessionsPerSecond.toLocaleString("en")} sessions/s lifted by the walk, of ${sessions.toLocaleString("en")}`,
    `live events, accepted → committed: p99 ${p99Ms} ms during the walk, ${p99MsIdle} ms before it (${(p99Ms / p99MsIdle).toFixed(1)} ×)`,
    `rules worked out ${resolves} times`,
  ].join("\n");
}

function httpText(measured: HttpResult): string {
  const { ingestPerSecond, directPerSecond, decisionP50Ms, decisionP99Ms, livezP50Ms } = measured;
  return [
    `${ingestPerSecond.toLocaleString("en")} events/s accepted over HTTP, ${directPerSecond.toLocaleString("en")} by the direct client (${(ingestPerSecond / directPerSecond).toFixed(2)} ×)`,
    `a decision: p50 ${decisionP50Ms} ms, p99 ${decisionP99Ms} ms; a bare request: p50 ${livezP50Ms} ms (${(decisionP50Ms / livezP50Ms).toFixed(1)} ×)`,
  ].join("\n");
}

function replayText({ replayPerSecond, xstatePerSecond, whyMs, verifyPerSecond }: ReplayResult): string {
  return [
    `${replayPerSecond.toLocaleString("en")} records/s folded again by one core, XState alone ${xstatePerSecond.toLocaleString("en")} transitions/s (${(replayPerSecond / xstatePerSecond).toFixed(2)} ×)`,
    `${verifyPerSecond.toLocaleString("en")} records/s verified by all cores`,
    `one long session explained in ${(whyMs / 1_000).toFixed(1)} s`,
  ].join("\n");
}

function floodText(measured: FloodResult): string {
  const { p50Ms, p99Ms, p50MsInFlood, p99MsInFlood } = measured;
  const { floodAcceptedPerSecond, floodRefusedPerSecond, othersRefused } = measured;
  return [
    `others wait for an answer: p50 ${p50MsInFlood} ms, p99 ${p99MsInFlood} ms; without the flood: p50 ${p50Ms} ms, p99 ${p99Ms} ms (${(p99MsInFlood / p99Ms).toFixed(1)} ×)`,
    `of the flood ${floodAcceptedPerSecond} events/s were accepted and ${floodRefusedPerSecond} refused; of the others' requests ${othersRefused}`,
  ].join("\n");
}

function outageText(measured: OutageResult): string {
  const { effects, triesUntilOpen, triesDown, peakPerSecond, noticedSeconds, deliveredSeconds } = measured;
  return [
    `down: ${triesUntilOpen} tries until it is left in peace, then ${triesDown}, at most ${peakPerSecond} in one second`,
    `back: noticed after ${noticedSeconds} s, ${effects.toLocaleString("en")} effects within ${deliveredSeconds} s; ${measured.missing} missing, ${measured.repeated} repeated`,
  ].join("\n");
}

function twiceText({ events, accepted, duplicates, records, effects, seconds }: TwiceResult): string {
  const line = (which: string, n: 0 | 1): string =>
    `${which}: ${[accepted, duplicates, records, effects].map((both) => both[n].toLocaleString("en")).join(", ")}`;
  return [
    `${events.toLocaleString("en")} events, twice, in ${seconds} s: accepted, duplicates, records, effects`,
    line("sent", 0),
    line("sent again", 1),
  ].join("\n");
}

function table(measured: CoreResult): string {
  const rates = new Table({ head: ["way", "events/s", "to the plain way"], style: { head: [], border: [] } });
  const row = (way: string, rate: number) =>
    rates.push([way, rate.toLocaleString("en"), `${(rate / measured.bullmq).toFixed(2)} ×`]);
  row("XState alone, in a loop", measured.xstate);
  row("plain way: one BullMQ job an event", measured.bullmq);
  row("Gatehouse, accepted and committed", measured.gatehouse);
  return [
    rates.toString(),
    `accepted → committed at 200 events/s: p50 ${measured.p50Ms} ms, p99 ${measured.p99Ms} ms (a bare BullMQ job: p99 ${measured.bullmqP99Ms} ms)`,
    `an idle session: ${measured.bytesPerSession} bytes of Redis memory`,
  ].join("\n");
}
