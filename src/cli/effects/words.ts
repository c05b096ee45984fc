/** Deliveries in words. */
import type { Attempt } from "../../effects/delivery.js";
import type { EffectDelivery } from "../../webhooks/webhooks.js";
import { count, duration, instant, paintOut } from "../terminal.js";

const tries = (n: number): string => (n === 1 ? "1 attempt" : `${count(n)} attempts`);

/** How a delivery stands: `waiting, next attempt 2026-03-02 12:00:03 UTC, 2 attempts: answered 503`. */
export function standing({ state, at, attemptsMade, attempts, why = attempts.at(-1)?.why }: EffectDelivery): string {
  const made = attemptsMade === 0 ? "not tried yet" : tries(attemptsMade);
  const reason = why === undefined ? "" : `: ${why}`;
  switch (state) {
    case "waiting":
      return `waiting, due ${instant(at)} UTC, ${made}${reason}`;
    case "delivered":
      return `${paintOut("green", "delivered")} ${instant(at)} UTC, ${tries(attemptsMade)}`;
    case "spent":
      return `${paintOut("red", "spent")} ${instant(at)} UTC, ${made}${reason}`;
    case "dropped":
      return `${paintOut("yellow", "dropped")} ${instant(at)} UTC, ${made}${reason}`;
  }
}

export const attemptRow = ({ at, durationMs, status, why }: Attempt): string[] => [
  `    ${instant(at)}`,
  status === undefined ? "–" : String(status),
  duration(durationMs),
  why ?? "taken",
];
