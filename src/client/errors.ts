/** What can go wrong between a backend and Gatehouse's API. None of these holds the key. */
import { GatehouseError } from "../errors.js";

/** The API did not answer, or answered that it can't serve, until the client gave up. */
export class ApiUnavailableError extends GatehouseError {
  readonly code = "api.unavailable";
  readonly retryable = true;
  /** Whether the event may have been accepted although no answer came. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, { cause, outcomeUnknown }: { cause?: unknown; outcomeUnknown: boolean }) {
    super(message, {
      cause,
      fix: "Check that the API runs and can be reached; sending the same events again with the same ids is safe.",
    });
    this.outcomeUnknown = outcomeUnknown;
  }
}

/** The API refused the whole request: it would refuse the same one again. */
export class ApiRefusedError extends GatehouseError {
  readonly code = "api.refused";
  readonly retryable = false;
  /** HTTP status. */
  readonly status: number;
  /** The API's own code, such as `auth.scope`; absent: something else than Gatehouse's API answered. */
  readonly problemCode: string | undefined;

  constructor(message: string, options: { status: number; problemCode: string | undefined; fix: string | undefined }) {
    super(message, { fix: options.fix ?? "Check the client's `url` and `key`." });
    this.status = options.status;
    this.problemCode = options.problemCode;
  }
}

/** More events wait than the client may hold. */
export class ClientOverflowError extends GatehouseError {
  readonly code = "client.overflow";
  readonly retryable = true;
}

/** The client was closed before. */
export class ClientClosedError extends GatehouseError {
  readonly code = "client.closed";
  readonly retryable = false;
}
