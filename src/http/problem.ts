/** Errors of the API as RFC 9457 problems: one table of codes and statuses, one shape, and never a stack or what a body said. */
import { ZodError } from "zod";
import {
  CatalogueMissingError,
  CatalogueOutdatedError,
  DraftConflictError,
  NothingToPublishError,
  PolicyKindError,
  PolicyUnknownError,
  VersionUnknownError,
} from "../control/catalogue-errors.js";
import { GatehouseError, StoreUnavailableError } from "../errors.js";
import type { RefusalCode } from "../ingest/refusal.js";
import { ApiKeyUnknownError } from "../keys/api-keys.js";

/** What can be wrong with a request, whatever it asks for. */
export const PROBLEMS = {
  "auth.missing": [401, "An API key is needed"],
  "auth.invalid": [401, "The API key is not valid"],
  "auth.scope": [403, "The API key may not do this"],
  "request.invalid": [400, "The request can't be used"],
  "request.not_json": [400, "The body is not JSON"],
  "request.duplicate_key": [400, "A JSON object says one key twice"],
  "request.too_large": [413, "The request is too large"],
  "request.headers_too_large": [431, "The headers are too large"],
  "request.media_type": [415, "The body is of a type that is not taken"],
  "request.encoding": [415, "The body is encoded"],
  "request.too_slow": [408, "The body came too slowly"],
  "request.not_found": [404, "There is no such route"],
  "request.method": [405, "The route does not take this method"],
  "import.refused": [400, "Nothing was imported"],
  "event.conflict": [409, "Another event has this id"],
  "session.unknown": [404, "There is no such session"],
  "user.unknown": [404, "There is no such user"],
  "rate.limited": [429, "Too many requests"],
  "ingest.outcome_unknown": [503, "It is not known whether events were accepted"],
  "server.internal": [500, "Something is wrong with Gatehouse"],
} as const satisfies Record<string, readonly [status: number, title: string]>;
export type ProblemCode = keyof typeof PROBLEMS;

/** Refusals of events; what is not listed is a 400. */
const REFUSED_TITLE = "The event was refused";
const REFUSAL_STATUSES: Partial<Record<RefusalCode, number>> = {
  "event.too_large": 413,
  "event.source_not_allowed": 403,
};

const sortOf = (code: ProblemCode | RefusalCode): readonly [status: number, title: string] =>
  code in PROBLEMS ? PROBLEMS[code as ProblemCode] : [REFUSAL_STATUSES[code as RefusalCode] ?? 400, REFUSED_TITLE];

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What would be taken, as a sentence. */
  readonly fix?: string;
  readonly requestId: string;
}

interface HttpProblemOptions {
  readonly fix?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A request that is answered with a problem. */
export class HttpProblem extends GatehouseError {
  readonly retryable: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: ProblemCode | RefusalCode,
    detail: string,
    { fix, headers = {}, members = {}, cause }: HttpProblemOptions = {},
  ) {
    super(detail, { ...(fix !== undefined && { fix }), cause });
    [this.status] = sortOf(code);
    this.retryable = this.status >= 500 || this.status === 429 || this.status === 408;
    this.headers = headers;
    this.members = members;
  }
}

type ErrorClass = abstract new (...args: never[]) => GatehouseError;

/** Statuses of errors that are raised behind the API; every other one is no fault of the caller's. */
const STATUSES: readonly (readonly [ErrorClass, number, string])[] = [
  [StoreUnavailableError, 503, "The store does not answer"],
  [CatalogueMissingError, 503, "A published version is not stored"],
  [PolicyUnknownError, 404, "There is no such policy"],
  [VersionUnknownError, 404, "There is no such version"],
  [ApiKeyUnknownError, 404, "There is no such API key"],
  [PolicyKindError, 400, "The policy is of another kind"],
  [CatalogueOutdatedError, 409, "Somebody else published first"],
  [DraftConflictError, 409, "Somebody else changed the draft first"],
  [NothingToPublishError, 409, "There is nothing to publish"],
];

/** Errors of other parts of the API register themselves, so that this table needs none of their modules. */
const registered: (readonly [ErrorClass, number, string])[] = [];

export function registerProblem(error: ErrorClass, status: number, title: string): void {
  registered.push([error, status, title]);
}

export interface ProblemAnswer {
  readonly problem: Problem & Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Nobody foresaw it: it belongs in the log. */
  readonly isUnforeseen: boolean;
}

export function toProblem(error: unknown, requestId: string): ProblemAnswer {
  const problem = (
    code: string,
    [status, title]: readonly [number, string],
    detail: string,
    fix: string | undefined,
    members: Readonly<Record<string, unknown>> = {},
  ) => ({
    type: `/errors/${code}`,
    title,
    status,
    code,
    detail,
    ...(fix !== undefined && { fix }),
    requestId,
    ...members,
  });

  if (error instanceof HttpProblem) {
    const { code, message, fix, members, headers } = error;
    return { problem: problem(code, sortOf(code), message, fix, members), headers, isUnforeseen: false };
  }
  if (error instanceof GatehouseError) {
    const known = [...registered, ...STATUSES].find(([kind]) => error instanceof kind);
    if (known !== undefined) {
      const [, status, title] = known;
      const headers: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
      return { problem: problem(error.code, [status, title], error.message, error.fix), headers, isUnforeseen: false };
    }
  }
  if (error instanceof ZodError) {
    const errors = error.issues.map(({ path, message }) => ({ path: `/${path.map(String).join("/")}`, message }));
    const detail = "Some of what was sent can't be used.";
    return {
      problem: problem("request.invalid", PROBLEMS["request.invalid"], detail, "Correct what is listed.", { errors }),
      headers: {},
      isUnforeseen: false,
    };
  }
  const detail = "The request failed for a reason that nobody foresaw. The log has it under this requestId.";
  return {
    problem: problem("server.internal", PROBLEMS["server.internal"], detail, undefined),
    headers: {},
    isUnforeseen: true,
  };
}
