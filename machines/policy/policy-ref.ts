/** What a document calls itself. */
import type { Finding } from "./finding.js";
import { type GraphDocument, own } from "./graph-document.js";
import type { PolicyRef } from "./rules.js";

const ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Ids are lower-cased. A document without one, such as a template, is named by its content. */
export function readPolicyRef(
  document: GraphDocument,
  hashOfContent: () => string,
): { ref: PolicyRef; findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const id = readId(document, findings) ?? `template-${hashOfContent()}`;
  return { ref: { id, name: readName(document, findings) ?? id }, findings };
}

function readId(document: GraphDocument, findings: Finding[]): string | undefined {
  const raw = own(document, "id") ?? undefined;
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && ID.test(raw)) return raw.toLowerCase();
  const expected = "letters, digits, `.`, `_` and `-`, up to 128";
  findings.push({ property: "id", value: raw, expected, usedInstead: "an id made from the content" });
  return undefined;
}

function readName(document: GraphDocument, findings: Finding[]): string | undefined {
  const raw = own(document, "displayName") ?? undefined;
  if (raw === undefined) return undefined;
  if (typeof raw === "string" && raw.trim() !== "") return raw.trim();
  findings.push({ property: "displayName", value: raw, expected: "a text", usedInstead: "the id" });
  return undefined;
}
