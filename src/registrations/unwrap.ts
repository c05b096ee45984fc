/**
 * Exports of Graph, as files come: one object, a list, either of them in `{"value": …}`, NDJSON; in UTF-8 or UTF-16, with or
 * without a mark. All of them become what the splitter of events reads: a list, or lines.
 */
import { TextDecoder } from "node:util";
import { encodingOf } from "../control/decode-text.js";

/** A file up to this size is read as a whole; of a larger one this much is looked at to know what it is. */
const HEAD_CHARACTERS = 1024 * 1024;

/** Up to a list under `value`, past the plain members that Graph puts before it. */
const WRAPPER =
  /^\s*\{(?:\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+.\deE]+|true|false|null)\s*,)*\s*"value"\s*:\s*(?=\[)/;

export async function* unwrapped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = decoded(source)[Symbol.asyncIterator]();
  let head = "";
  let isOver = false;
  while (!isOver && head.length <= HEAD_CHARACTERS) {
    const { value, done } = await pieces.next();
    isOver = done === true;
    head += value ?? "";
  }
  const list = isOver ? listIn(head) : undefined;
  if (list !== undefined) {
    yield Buffer.from(JSON.stringify(list));
    return;
  }
  yield Buffer.from(head.slice(WRAPPER.exec(head)?.[0].length ?? 0));
  while (!isOver) {
    const { value, done } = await pieces.next();
    isOver = done === true;
    if (value !== undefined) yield Buffer.from(value);
  }
}

/** What the text holds, if it is one JSON value; NDJSON and malformed text are left to the splitter, which names the lines. */
function listIn(text: string): readonly unknown[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const inner = typeof parsed === "object" && parsed !== null && "value" in parsed ? parsed.value : parsed;
  return Array.isArray(inner) ? inner : [inner];
}

async function* decoded(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  let decoder: TextDecoder | undefined;
  for await (const bytes of source) {
    decoder ??= new TextDecoder(encodingOf(bytes));
    yield decoder.decode(bytes, { stream: true });
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield rest;
  return undefined;
}
