/**
 * A journal record as a line of a segment. What the record says stands in it as it was stored, byte for byte, so that `zcat | jq` reads it
 * and its hash can still be checked.
 */
import { isTombstone } from "../store/journal-chain.js";
import type { JournalEntry, Tombstone } from "../store/partition-store.js";

const HEX = /^[0-9a-f]{64}$/;
const RECORD = /^\{"seq":(\d+),"hash":"([0-9a-f]{64})","record":/;

export function toLine(entry: JournalEntry): string {
  const { seq, hash } = entry;
  if (isTombstone(entry)) {
    const { bodyHash: erased, erasedAt, previous } = entry;
    return JSON.stringify({ seq, hash, bodyHash: erased, erasedAt, ...(previous !== undefined && { previous }) });
  }
  const { body } = entry;
  // The store takes any text. One that is no JSON, or has lines, goes as a string.
  if (!isOneLineOfJson(body)) return JSON.stringify({ seq, hash, body });
  return `{"seq":${seq},"hash":"${hash}","record":${body}}`;
}

/** @returns `undefined` for what `toLine` never wrote */
export function fromLine(line: string): JournalEntry | undefined {
  const [start, seq, hash] = RECORD.exec(line) ?? [];
  if (start !== undefined && seq !== undefined && hash !== undefined) {
    return { seq: Number(seq), hash, body: line.slice(start.length, -1) };
  }
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null) return undefined;
  const entry = read as Partial<Tombstone & { body: string }>;
  if (!Number.isSafeInteger(entry.seq) || !HEX.test(entry.hash ?? "")) return undefined;
  if (typeof entry.body === "string" || HEX.test(entry.bodyHash ?? "")) return entry as JournalEntry;
  return undefined;
}

/** What the archive's own tables need of a record. */
export function glance(entry: JournalEntry): { readonly session?: string; readonly at?: number } {
  if (isTombstone(entry)) return {};
  try {
    const { session, at } = JSON.parse(entry.body) as { session?: unknown; at?: unknown };
    return { ...(typeof session === "string" && { session }), ...(typeof at === "number" && { at }) };
  } catch {
    return {};
  }
}

function isOneLineOfJson(text: string): boolean {
  if (text.includes("\n") || text.includes("\r")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
