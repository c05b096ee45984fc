/**
 * The journal's chain: every record's hash covers the record before it, so changing, removing, reordering or
 * inserting one shows from there on. It covers a body by the body's own hash: when a record is erased, that hash stays in
 * its place, and the chain holds without what was said.
 */
import { hash } from "node:crypto";
import type { JournalEntry, StoredRecord, Tombstone } from "./partition-store.js";

/** Head of a journal without records. */
export const GENESIS_HEAD = "0".repeat(64);

/** SHA-256 of a record's body in UTF-8, hex. */
export const bodyHash = (body: string): string => hash("sha256", body, "hex");

export const isTombstone = (entry: JournalEntry): entry is Tombstone => "bodyHash" in entry;

function link(head: string, hashOfBody: string): string {
  return hash("sha256", head + hashOfBody, "hex");
}

/**
 * Numbers and chains new records: `hash = sha256(previous hash ‖ sha256(body))`, both hashes as their 64 hex characters.
 * @param head hash of the record before `firstSeq`, {@link GENESIS_HEAD} for the first
 */
export function chainRecords(head: string, firstSeq: number, bodies: readonly string[]): StoredRecord[] {
  let previous = head;
  return bodies.map((body, index) => {
    previous = link(previous, bodyHash(body));
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

/**
 * Checks a stretch of the journal that starts at `firstSeq` and follows the record with hash `head`. A tombstone counts as the record
 * that it stands for.
 */
export function verifyChain(head: string, firstSeq: number, entries: Iterable<JournalEntry>): ChainVerdict {
  let previous = head;
  let seq = firstSeq;
  for (const entry of entries) {
    if (entry.seq !== seq) return { intact: false, seq, reason: "missing" };
    previous = link(previous, isTombstone(entry) ? entry.bodyHash : bodyHash(entry.body));
    if (entry.hash !== previous) return { intact: false, seq, reason: "altered" };
    seq += 1;
  }
  return { intact: true, head: previous };
}
