/** What a run found broken, by promise. */

export type PromiseId = "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8" | "P9" | "P10";

export interface Violation {
  readonly promise: PromiseId;
  readonly what: string;
}

/** Told of every violation. */
export type Broken = (promise: PromiseId, what: string) => void;
