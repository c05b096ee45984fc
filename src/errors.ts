/**
 * Every error that Gatehouse raises on purpose: one class per failure, a stable code, and an answer to the one
 * question a caller has: would the same call succeed later?
 */
export abstract class GatehouseError extends Error {
  /** Stable; documented in docs/errors.md. */
  abstract readonly code: string;
  /** Whether the same call, made again later, can succeed. */
  abstract readonly retryable: boolean;
  /** What the reader can do about it, as a sentence. */
  readonly fix: string | undefined;

  constructor(message: string, options?: { cause?: unknown; fix?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.fix = options?.fix;
  }
}

/** The database did not answer, or answered that it cannot serve. */
export class StoreUnavailableError extends GatehouseError {
  readonly code = "store.unavailable";
  readonly retryable = true;
  /** Whether a write may have been carried out although its answer never came. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, options: { cause?: unknown; outcomeUnknown: boolean; fix?: string }) {
    super(message, {
      ...options,
      fix: options.fix ?? "Check that Redis runs and can be reached; sending the same events again is safe.",
    });
    this.outcomeUnknown = options.outcomeUnknown;
  }
}
