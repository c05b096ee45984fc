/**
 * Cuts a file of events, of any size, into single events: NDJSON by its lines, a JSON array by its elements. Nothing but the
 * current element is held, and no more of it than an event may have. A JSON parser for streams would give up at the first
 * malformed element and hold an oversized one whole; here each costs itself alone.
 */
import { isUtf8 } from "node:buffer";
import { LIMITS, tooLarge } from "./inspect-json.js";
import type { Refusal } from "./refusal.js";
import { CHUNK_EVENTS, type Outgoing } from "./sender.js";
import { saysKeyTwice } from "../says-key-twice.js";
import { whereNotJson } from "../where-not-json.js";

/** What a place in the file is: a line of NDJSON, from 1, or an element of a JSON array, from 0. */
export type PlaceKind = "line" | "element";

export interface SplitEvents {
  /** Known once something was read. */
  readonly kind: PlaceKind;
  readonly chunks: AsyncGenerator<Outgoing[]>;
}

export interface SplitOptions {
  /** Leaves out what stands before this place. */
  readonly from?: number;
  /** Of one element; what is larger is refused, and never held. Default: what an event may have. */
  readonly maxBytes?: number;
  /** More may follow the array, since it stood in an object: it is left alone. */
  readonly isWrapped?: boolean;
}

export function splitEvents(source: AsyncIterable<Uint8Array>, options: SplitOptions = {}): SplitEvents {
  const { from = 0, maxBytes = LIMITS.eventBytes, isWrapped = false } = options;
  const splitter = new Splitter(maxBytes, isWrapped);
  const chunks = async function* (): AsyncGenerator<Outgoing[]> {
    let chunk: Outgoing[] = [];
    for await (const bytes of source) {
      splitter.push(bytes);
      for (const piece of splitter.take()) {
        if (piece.place < from) continue;
        if (chunk.push(read(piece, maxBytes)) < CHUNK_EVENTS) continue;
        yield chunk;
        chunk = [];
      }
    }
    splitter.end();
    for (const piece of splitter.take()) if (piece.place >= from) chunk.push(read(piece, maxBytes));
    if (chunk.length > 0) yield chunk;
  };
  return {
    get kind() {
      return splitter.kind;
    },
    chunks: chunks(),
  };
}

interface Piece {
  readonly place: number;
  /** `undefined`: it was larger than an event may be, and was not kept. */
  readonly bytes: Buffer | undefined;
  /** The file ended within the array, or went on after it. */
  readonly problem?: string;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;

/** Byte by byte: in UTF-8 none of the bytes that matter here is ever part of another character. */
class Splitter {
  kind: PlaceKind = "line";
  private phase: "start" | "lines" | "array" | "afterArray" = "start";
  private done: Piece[] = [];
  private place = 1;
  private read = 0;

  private parts: Buffer[] = [];
  private size = 0;
  private isBlank = true;

  private depth = 0;
  private inString = false;
  private escaped = false;

  constructor(
    private readonly maxBytes: number,
    private readonly isWrapped: boolean,
  ) {}

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.phase === "start") at = this.start(bytes, at);
      else if (this.phase === "lines") at = this.line(bytes, at);
      else at = this.element(bytes, at);
    }
  }

  end(): void {
    if (this.phase === "lines") this.finish();
    if (this.phase === "array") {
      const isCutOff = this.depth > 0 || this.inString;
      if (!this.isBlank) this.finish();
      // An element that is cut off says as much itself.
      if (!isCutOff)
        this.done.push({ place: this.place, bytes: undefined, problem: "the file ends before the array does" });
    }
    if (this.phase === "afterArray" && !this.isBlank && !this.isWrapped) {
      this.done.push({ place: this.place, bytes: undefined, problem: "there is more after the end of the array" });
    }
  }

  /** The pieces that are complete. */
  take(): readonly Piece[] {
    const { done } = this;
    this.done = [];
    return done;
  }

  /** Up to the first byte that says which kind of file it is. */
  private start(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++, this.read++) {
      const byte = bytes[at] as number;
      if (byte === BYTE_ORDER_MARK[this.read]) continue;
      if (byte === NEWLINE) this.place++;
      if (isSpace(byte)) continue;
      if (byte !== OPEN_BRACKET) {
        this.phase = "lines";
        return at;
      }
      this.phase = "array";
      this.kind = "element";
      this.place = 0;
      return at + 1;
    }
    return bytes.length;
  }

  private line(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    if (this.isBlank) for (let at = from; at < end && this.isBlank; at++) this.isBlank = isSpace(bytes[at] as number);
    this.keep(bytes, from, end);
    if (newline === -1) return end;
    this.finish();
    return end + 1;
  }

  private element(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (this.inString) {
        // JSON has no line breaks in strings: one whose end is missing must not swallow its neighbours.
        if (byte === NEWLINE || (byte === QUOTE && !this.escaped)) this.inString = false;
        this.escaped = byte === BACKSLASH && !this.escaped;
        continue;
      }
      if (byte === QUOTE) this.inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++;
      else if (this.depth === 0 && this.phase === "array" && (byte === COMMA || byte === CLOSE_BRACKET)) {
        this.keep(bytes, from, at);
        // `[]` has no element, and `[a]` has one.
        if (byte === COMMA || !this.isBlank || this.place > 0) this.finish();
        this.isBlank = true;
        if (byte === CLOSE_BRACKET) this.phase = "afterArray";
        return at + 1;
      } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && this.depth > 0) this.depth--;
      if (this.isBlank) this.isBlank = isSpace(byte);
    }
    this.keep(bytes, from, bytes.length);
    return bytes.length;
  }

  /** Adds to the current piece. One that became too large is only measured. */
  private keep(bytes: Buffer, from: number, to: number): void {
    if (this.phase === "afterArray") return;
    this.size += to - from;
    if (this.size > this.maxBytes) this.parts = [];
    else if (to > from) this.parts.push(bytes.subarray(from, to));
  }

  private finish(): void {
    // Blank lines separate; a blank element is one that is missing.
    if (!this.isBlank || this.phase === "array") {
      const bytes = this.size > this.maxBytes ? undefined : Buffer.concat(this.parts);
      this.done.push({ place: this.place, bytes });
    }
    this.place++;
    this.parts = [];
    this.size = 0;
    this.isBlank = true;
    this.depth = 0;
    this.inString = false;
    this.escaped = false;
  }
}

function read({ place, bytes, problem }: Piece, maxBytes: number): Outgoing {
  if (problem !== undefined) {
    return { place, refusal: notJson(problem, "Send the whole array, or NDJSON: one event a line.") };
  }
  return bytes === undefined ? { place, refusal: tooLarge(maxBytes) } : readOutgoing(place, bytes);
}

/** Bytes that should be one event. */
export function readOutgoing(place: number, bytes: Buffer): Outgoing {
  if (!isUtf8(bytes)) return { place, refusal: notJson("not UTF-8", "Save the file in UTF-8.") };
  try {
    const text = bytes.toString();
    const input = JSON.parse(text) as unknown;
    return saysKeyTwice(text, input) ? { place, refusal: DUPLICATE_KEY } : { place, input };
  } catch (error) {
    return { place, refusal: notJson(whereNotJson(error), "Send one JSON object for each event.") };
  }
}

const DUPLICATE_KEY: Refusal = {
  code: "event.duplicate_key",
  path: "",
  message: "an object that says one key twice",
  fix: "Say every key once: readers differ in which one they believe.",
};

function notJson(message: string, fix: string): Refusal {
  return { code: "event.not_json", path: "", message, fix };
}
