/**
 * Logs: one JSON object a line on stderr, so that stdout stays for results. Events and effects are never logged, only their ids,
 * types and sessions; the redaction is the second lock, for what slips into an error's fields.
 */
import { type Logger, destination, pino } from "pino";

const SECRETS = ["pin", "passcode", "password", "secret", "token", "authorization", "data", "body"];

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type { Logger };

export function createLogger(level: LogLevel, name: string): Logger {
  return pino(
    {
      name,
      level,
      redact: { paths: SECRETS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: "[redacted]" },
      // An address may carry a password.
      serializers: {
        err: ({ name: type, message, code, stack }: Error & { code?: unknown }) => ({ type, message, code, stack }),
      },
    },
    destination({ dest: 2, sync: false }),
  );
}
