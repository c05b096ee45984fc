/** What several commands take from the command line. */
import { InvalidArgumentError } from "commander";
import type { SessionId } from "../../machines/session/session.js";
import { DEFAULT_APP, TENANT_PATTERN, isSubject, parseSubject } from "../ingest/cloud-event.js";
import { UsageError } from "./failure.js";

export const JSON_OPTION = ["--json", "print one JSON object on stdout, and nothing else there"] as const;

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < least || n > most) {
      throw new InvalidArgumentError(
        most === Number.MAX_SAFE_INTEGER
          ? `Give a whole number, ${least} or more.`
          : `Give a whole number from ${least} to ${most}.`,
      );
    }
    return n;
  };
}

/** For an option that may be given several times. */
export function several<Value>(
  read: (text: string) => Value,
): (text: string, before: readonly Value[] | undefined) => readonly Value[] {
  return (text, before) => [...(before ?? []), read(text)];
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `2m`, `1h` → ms. */
export function span(text: string): number {
  const [, n = "", unit = ""] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) throw new InvalidArgumentError("Give a time such as 500ms, 30s, 2m or 1h.");
  return Number(n) * unitMs;
}

/** `30s`, `10m`, `6h`, `400d` → ms. */
export function longSpan(text: string): number {
  const [, n = "", unit = ""] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? [];
  const unitMs = { ...UNITS_MS, d: 86_400_000 }[unit];
  if (unitMs === undefined || Number(n) === 0)
    throw new InvalidArgumentError("Give a time such as 30s, 10m, 6h or 400d.");
  return Number(n) * unitMs;
}

/** `4096`, `500m`, `50g` → bytes. */
export function byteCount(text: string): number {
  const [, n = "", unit = ""] = /^(\d{1,15})([kmgt]?)$/i.exec(text) ?? [];
  if (n === "") throw new InvalidArgumentError("Give a number of bytes such as 4096, 500m or 50g.");
  return Number(n) * 1_024 ** ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
}

/**
 * The session that somebody names: `device/user`, `device/user/app` or all of `tenant/device/user/app`.
 * @throws UsageError
 */
export function sessionIdOf(text: string, tenant: string): SessionId {
  const parts = text.split("/");
  const [named, subject] = parts.length === 4 ? [parts[0] ?? "", parts.slice(1).join("/")] : [tenant, text];
  if (!isSubject(subject) || !TENANT_PATTERN.test(named)) {
    throw new UsageError(`${JSON.stringify(text)} names no session`, {
      fix: "Give device/user, device/user/app or tenant/device/user/app, as `gatehouse sessions` prints them.",
    });
  }
  const { device, user, app } = parseSubject(subject);
  return `${named}/${device}/${user}/${app}`;
}

/** A session as briefly as it can be given back to a command: without the tenant, and without the app if it is the default. */
export function shortId(id: SessionId): string {
  const [, device = "", user = "", app = ""] = id.split("/");
  return app === DEFAULT_APP ? `${device}/${user}` : `${device}/${user}/${app}`;
}
