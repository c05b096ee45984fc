/** Whether effects arrive. */
import type { ReceiverFacts } from "../../metrics/receiver-facts.js";
import { type DoctorCheck, ok, plural, some, warning } from "./check.js";
import { duration } from "../terminal.js";

/** A receiver may fail for so long: it is tried again, more and more seldom. */
const FAILING_WARNED_MS = 60_000;

const alive = (receivers: readonly ReceiverFacts[]): readonly ReceiverFacts[] =>
  receivers.filter(({ state }) => state !== "removed");

/**
 * @param outbox effects that were not handed over to their receivers yet
 * @param now epoch ms, by Redis's clock
 */
export function effectsCheck(receivers: readonly ReceiverFacts[], outbox: number, now: number): DoctorCheck {
  const name = "effects";
  const spent = alive(receivers).filter(({ figures }) => figures.spent > 0);
  const failing = alive(receivers).filter(
    ({ state, figures }) =>
      state === "active" && figures.failingSince !== null && now - figures.failingSince > FAILING_WARNED_MS,
  );
  const waiting = alive(receivers).reduce((sum, { figures }) => sum + figures.waiting, 0) + outbox;
  const said = waiting === 0 ? "no effect waits" : `${plural(waiting, "effect waits", "effects wait")} for delivery`;
  const troubles = [
    ...failing.map(
      ({ receiver, figures }) =>
        `${receiver} has not answered well for ${duration(now - (figures.failingSince ?? now))}`,
    ),
    ...spent.map(
      ({ receiver, figures }) => `${plural(figures.spent, "delivery", "deliveries")} to ${receiver} given up`,
    ),
  ];
  if (troubles.length === 0) return ok(name, said);
  return warning(
    name,
    `${said}; ${some(troubles)}`,
    [
      ...(failing.length > 0 ? ["See what the receiver answers: `gatehouse webhooks test ID`."] : []),
      ...(spent.length > 0
        ? ["Why: `gatehouse effects list --state spent`. Once it is mended: `gatehouse effects redrive`."]
        : []),
    ].join("\n"),
  );
}

export function webhooksCheck(receivers: readonly ReceiverFacts[]): DoctorCheck {
  const name = "webhooks";
  const endpoints = alive(receivers).filter(({ tenant }) => tenant !== undefined);
  const disabled = endpoints.filter(({ state }) => state === "disabled");
  const paused = endpoints.filter(({ state }) => state === "paused").length;
  const said =
    endpoints.length === 0
      ? "there are none"
      : `${plural(endpoints.length, "endpoint")}${paused === 0 ? "" : `, ${paused} of them paused by somebody`}`;
  if (disabled.length === 0) return ok(name, said);
  const each = disabled.map(
    ({ receiver, tenant, why }) => `${receiver} of ${tenant}${why === undefined ? "" : ` (${why})`}`,
  );
  return warning(
    name,
    `${said}; disabled: ${some(each)}`,
    "Mend the receiver, then `gatehouse webhooks resume ID` and `gatehouse effects redrive --endpoint ID`.",
  );
}
