/** Why a document cannot be taken as a policy at all. A single bad value is a finding instead, never an error. */
export const POLICY_ERROR_CODES = {
  "policy.not_object": "The document is not a JSON object.",
  "policy.list": "The document holds a list of policies.",
  "policy.type_missing": "The document does not say what it is.",
  "policy.type_unsupported": "The document is of a type that is not an app protection policy.",
} as const;
export type PolicyErrorCode = keyof typeof POLICY_ERROR_CODES;

/** Trying again with the same document always fails the same way. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code: PolicyErrorCode;
  /** Where in the document, from its root `$`. */
  readonly path: string;
  /** What the reader can do about it, as a sentence. */
  readonly fix: string;

  constructor(code: PolicyErrorCode, path: string, fix: string) {
    super(`${path}: ${POLICY_ERROR_CODES[code]} ${fix}`);
    this.code = code;
    this.path = path;
    this.fix = fix;
  }
}
