/** Reads what the API says became of a batch of events: an answer for each, all once more, or none ever. */
import { ApiRefusedError, ApiUnavailableError } from "../errors.js";
import type { EmitResult } from "../client.js";
import type { ApiAnswer } from "./api.js";

type WithoutId<Result> = Result extends unknown ? Omit<Result, "id"> : never;

/** Of one event; `again`: it has to be sent once more. */
export type EventAnswer = WithoutId<Exclude<EmitResult, { status: "unknown" }>> | { readonly status: "again" };

export type BatchAnswer =
  | {
      readonly kind: "each";
      readonly answers: readonly EventAnswer[];
      /** Some of those that have to be sent again may have been accepted. */
      readonly isInDoubt: boolean;
      readonly retryAfterMs?: number;
    }
  | {
      readonly kind: "again";
      readonly error: ApiUnavailableError;
      readonly isInDoubt: boolean;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "refused"; readonly error: ApiRefusedError };

/** @param count of the events that were sent */
export function readBatchAnswer(answer: ApiAnswer, count: number): BatchAnswer {
  if (answer.kind === "none") {
    const error = new ApiUnavailableError(`the API did not answer: ${reasonOf(answer.error)}`, {
      cause: answer.error,
      outcomeUnknown: answer.mayHaveArrived,
    });
    return { kind: "again", error, isInDoubt: answer.mayHaveArrived };
  }
  const { status, body, retryAfterMs } = answer;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const results = readResults(body, count);
  if (results !== undefined) {
    const isInDoubt = results.some((result) => result.status === "unknown");
    return { kind: "each", answers: results.map(toEventAnswer), isInDoubt, ...wait };
  }
  if (status === 413 && count === 1) return { kind: "each", answers: [TOO_LARGE], isInDoubt: false };
  const { code, detail, fix } = readProblem(body);
  const said = `the API answered ${status}${code === undefined ? "" : ` ${code}`}${detail === undefined ? "" : `: ${detail}`}`;
  // An answer of success that is none of Gatehouse's says nothing about the events.
  if (status === 408 || status === 429 || status >= 500 || (status >= 200 && status < 300)) {
    const isInDoubt = status !== 429;
    return {
      kind: "again",
      error: new ApiUnavailableError(said, { outcomeUnknown: isInDoubt }),
      isInDoubt,
      ...wait,
    };
  }
  return { kind: "refused", error: new ApiRefusedError(said, { status, problemCode: code, fix }) };
}

const TOO_LARGE: EventAnswer = {
  status: "refused",
  refusal: {
    code: "event.too_large",
    path: "",
    message: "larger than a request may be",
    fix: "Keep each event within 16 KiB.",
  },
};

interface ApiResult {
  readonly status: "accepted" | "duplicate" | "conflict" | "refused" | "unknown";
  readonly code?: string;
  readonly pointer?: string;
  readonly message?: string;
  readonly fix?: string;
}

const STATUSES: ReadonlySet<unknown> = new Set(["accepted", "duplicate", "conflict", "refused", "unknown"]);

function readResults(body: unknown, count: number): readonly ApiResult[] | undefined {
  const results = isRecord(body) ? body["results"] : undefined;
  return Array.isArray(results) && results.length === count && results.every(isApiResult) ? results : undefined;
}

const isApiResult = (value: unknown): value is ApiResult =>
  isRecord(value) &&
  STATUSES.has(value["status"]) &&
  ["code", "pointer", "message", "fix"].every((name) => ["string", "undefined"].includes(typeof value[name]));

function toEventAnswer({ status, code = "", pointer = "", message = "", fix = "" }: ApiResult): EventAnswer {
  if (status === "unknown" || code === "rate.limited") return { status: "again" };
  return status === "refused" ? { status, refusal: { code, path: pointer, message, fix } } : { status };
}

/** Members of a problem that are texts. */
function readProblem(body: unknown): { readonly code?: string; readonly detail?: string; readonly fix?: string } {
  if (!isRecord(body)) return {};
  const texts = ["code", "detail", "fix"].flatMap((name) => {
    const value = body[name];
    return typeof value === "string" ? [[name, value.slice(0, 300)]] : [];
  });
  return Object.fromEntries(texts) as Record<string, string>;
}

/** In a few words. Of several addresses that were tried, what became of the first. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0] ?? error.message);
  return error instanceof Error ? error.message : String(error);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
