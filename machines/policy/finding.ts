/** What an administrator should know of a document that is a policy all the same: each finding is replaced, never an error. */
export interface Finding {
  /** The property, with its place inside where that says more: `assignments[2].target`. */
  readonly property: string;
  /** As it is in the document; `undefined`: it is not there. */
  readonly value: unknown;
  /** What is expected, in words. */
  readonly expected: string;
  /** `null`: the property is off. Durations are in ms. */
  readonly usedInstead: unknown;
}
