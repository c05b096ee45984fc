/**
 * The journal's chain: every record's hash covers the record before it, so changing, removing, reordering or
 * inserting one shows from there on.
 */
import { hash } from "node:crypto";
import type { StoredRecord } from "./partition-store.js";

/** Head of a journal without records. */
export const GENESIS_HEAD = "0".repeat(64);

function link(head: string, body: string): string {
  return hash("sha256", head + body, "hex");
}

/**
 * Numbers and chains new records: `hash = sha256(previous hash ‖ body)`, the previous hash as its 64 hex characters,
 * the body in UTF-8.
 * @param head hash of the record before `firstSeq`, {@link GENESIS_HEAD} for the first
 */
export function chainRecords(head: string, firstSeq: number, bodies: readonly string[]): StoredRecord[] {
  let previous = head;
  return bodies.map((body, index) => {
    previous = link(previous, body);
    return { seq: firstSeq + index, body, hash: previous };
  });
}

export type ChainVerdict =
  /** `head` is the hash of the last record, to go on from. */
  | { readonly intact: true; readonly head: string }
  /**
   * `seq` is the first record that is not what was written: `missing` (the journal has another number in its place)
   * or `altered` (its content, or the record before it, does not give its hash).
   */
  | { readonly intact: false; readonly seq: number; readonly reason: "missing" | "altered" };

/** Checks a stretch of the journal that starts at `firstSeq` and follows the record with hash `head`. */
export function verifyChain(head: string, firstSeq: number, records: readonly StoredRecord[]): ChainVerdict {
  let previous = head;
  let seq = firstSeq;
  for (const record of records) {
    if (record.seq !== seq) return { intact: false, seq, reason: "missing" };
    previous = link(previous, record.body);
    if (record.hash !== previous) return { intact: false, seq, reason: "altered" };
    seq += 1;
  }
  return { intact: true, head: previous };
}
