/** What one look of the doctor comes to. */
import { count } from "../terminal.js";

/** `warning`: it works, and somebody should look at it. `failed`: something does not work, or soon will not. */
export const CHECK_LEVELS = ["ok", "warning", "failed"] as const;
export type CheckLevel = (typeof CHECK_LEVELS)[number];

export interface DoctorCheck {
  readonly name: string;
  readonly level: CheckLevel;
  /** What was found, in a sentence. */
  readonly detail: string;
  /** What to do, a line each; absent: nothing. */
  readonly fix?: string;
}

export const ok = (name: string, detail: string): DoctorCheck => ({ name, level: "ok", detail });
export const warning = (name: string, detail: string, fix: string): DoctorCheck => ({
  name,
  level: "warning",
  detail,
  fix,
});
export const failed = (name: string, detail: string, fix?: string): DoctorCheck => ({
  name,
  level: "failed",
  detail,
  ...(fix !== undefined && { fix }),
});

/** `1 partition`, `2 partitions`, and with `1,234` where there are many. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** `3, 7, 12 and 4 more`. */
export function some(names: readonly (string | number)[], most = 8): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
