/** The figures of `gatehouse stats` as a page of a terminal. */
import { STATE_NAMES } from "../../../machines/session/context.js";
import { bytes, columns, count, duration, instant, paintOut } from "../terminal.js";
import type { Stats } from "./report.js";

const BAR_WIDTH = 24;

const perSecond = (rate: number): string => `${rate > 0 && rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/s`;

export function statsPage(stats: Stats, partitionCount: number): string[] {
  const { sessions, rates, processed, backlog, timers, effects, unwalked, slowest, redis } = stats;
  const late = (n: number, ms: number): string => `${count(n)}${ms > 0 ? `, by up to ${duration(ms)}` : ""}`;
  const memory = redis.maxMemoryBytes === 0 ? "" : ` of ${bytes(redis.maxMemoryBytes)}`;
  return [
    `${paintOut("bold", `${count(sessions.total)} sessions`)}${paintOut("dim", `  ${instant(stats.at)} UTC`)}`,
    ...columns(
      STATE_NAMES.map((state) => {
        const n = sessions.byState[state];
        return [`  ${state}`, count(n), bar(n, sessions.total)];
      }),
    ).map((line) => line.trimEnd()),
    "",
    paintOut(
      "bold",
      rates.overMs === 0 ? "A second: known at the next look" : `A second, over the last ${duration(rates.overMs)}`,
    ),
    ...columns(
      rates.overMs === 0
        ? [
            ["  accepted", "–"],
            ["  processed", "–"],
            ["  effects", "–"],
          ]
        : [
            ["  accepted", perSecond(rates.acceptedPerSecond)],
            [
              "  processed",
              `${perSecond(rates.processedPerSecond)}, ${perSecond(rates.appliedPerSecond)} of them applied`,
            ],
            ["  effects", perSecond(rates.effectsPerSecond)],
          ],
    ),
    "",
    paintOut("bold", "Work"),
    ...columns([
      [
        "  backlog",
        backlog.events === 0
          ? "none"
          : `${count(backlog.events)} events in ${backlog.partitions} of ${partitionCount} partitions${backlog.oldestWaitMs > 0 ? `, the oldest for ${duration(backlog.oldestWaitMs)}` : ""}`,
      ],
      ["  deadlines late", timers.late === 0 ? "none" : late(timers.late, timers.overdueMs)],
      [
        "  effects waiting",
        `${count(effects.outbox + effects.waiting)}${effects.spent === 0 ? "" : `; ${count(effects.spent)} given up`}`,
      ],
      ["  policy walk", unwalked === 0 ? "done" : `${count(unwalked)} sessions left`],
      [
        "  processed so far",
        Object.entries(processed)
          .map(([outcome, n]) => `${count(n)} ${outcome}`)
          .join(", "),
      ],
    ]),
    "",
    `${paintOut("bold", "Redis")} ${redis.version}${redis.servers > 1 ? `, ${redis.servers} primaries` : ""}, ${redis.durability}, ${bytes(redis.usedMemoryBytes)}${memory} used`,
    ...(slowest.length === 0
      ? []
      : [
          "",
          paintOut("bold", "Most to do"),
          ...columns([
            ["  partition", "events", "oldest", "deadlines late"].map((title) => paintOut("dim", title)),
            ...slowest.map(({ partition, waiting, waitMs, timersLate, overdueMs }) => [
              `  ${partition}`,
              count(waiting),
              waitMs === 0 ? "" : duration(waitMs),
              timersLate === 0 ? "" : late(timersLate, overdueMs),
            ]),
          ]).map((line) => line.trimEnd()),
        ]),
  ];
}

function bar(n: number, total: number): string {
  const width = total === 0 ? 0 : Math.round((n / total) * BAR_WIDTH);
  return "█".repeat(n > 0 ? Math.max(1, width) : 0);
}
