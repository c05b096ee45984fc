/** Why a document, or a value in it, can't be taken. What merely says nothing to us is a finding instead. */
export const POLICY_ERROR_CODES = {
  "policy.not_object": "This is not a JSON object.",
  "policy.list": "This is a list.",
  "policy.nested": "Documents are nested too deeply.",
  "policy.type_missing": "The document does not say what it is.",
  "policy.type_unsupported": "The document is of a type that can't be used here.",
  "policy.range": "The value is out of range.",
  "policy.assignment": "The assignment can't be read.",
  "policy.duplicate_id": "Two policies have one id.",
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
