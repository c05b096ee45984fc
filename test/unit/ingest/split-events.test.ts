/** Files of events are cut into events, wherever the file's chunks end, and one bad event costs no other. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitEvents } from "../../../src/ingest/split-events.js";
import type { Outgoing } from "../../../src/ingest/sender.js";

async function split(text: string | Buffer, chunkBytes = 7, from = 0): Promise<{ kind: string; pieces: Outgoing[] }> {
  const bytes = Buffer.from(text);
  const source = async function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
  const events = splitEvents(source(), { from });
  const pieces: Outgoing[] = [];
  for await (const chunk of events.chunks) pieces.push(...chunk);
  return { kind: events.kind, pieces };
}

/** `3:{"a":1}` for what was read, `3 event.not_json` for what was refused. */
const brief = (pieces: readonly Outgoing[]): string[] =>
  pieces.map((piece) =>
    "input" in piece ? `${piece.place}:${JSON.stringify(piece.input)}` : `${piece.place} ${piece.refusal.code}`,
  );

const OVERSIZED = JSON.stringify({ note: "x".repeat(20_000) });

describe("NDJSON", () => {
  test("each line is an event, counted from 1; blank lines count as lines and are no events", async () => {
    const { kind, pieces } = await split('{"a":1}\n\n  \r\n{"b":2}\r\n{"c":3}');
    expect(kind).toBe("line");
    expect(brief(pieces)).toEqual(['1:{"a":1}', '4:{"b":2}', '5:{"c":3}']);
  });

  test("a line that is not JSON, not UTF-8 or too large costs only itself", async () => {
    const file = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":\n'),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a]),
      Buffer.from(`${OVERSIZED}\n{"b":"ü€😀"}\n`),
    ]);
    expect(brief((await split(file)).pieces)).toEqual([
      '1:{"a":1}',
      "2 event.not_json",
      "3 event.not_json",
      "4 event.too_large",
      '5:{"b":"ü€😀"}',
    ]);
  });

  test("what was read never stands in the message", async () => {
    const { pieces } = await split('{"pin":"sesame" x\n');
    expect(JSON.stringify(pieces)).not.toContain("sesame");
  });

  test("a byte order mark is no part of the first event", async () => {
    expect(brief((await split('\uFEFF{"a":1}\n', 1)).pieces)).toEqual(['1:{"a":1}']);
  });

  test("an empty file has no events", async () => {
    expect((await split("")).pieces).toEqual([]);
    expect((await split(" \n\n")).pieces).toEqual([]);
  });

  test("reading can start at a line", async () => {
    expect(brief((await split('{"a":1}\n{"b":2}\n{"c":3}\n', 7, 2)).pieces)).toEqual(['2:{"b":2}', '3:{"c":3}']);
  });
});

describe("a JSON array", () => {
  test("each element is an event, counted from 0", async () => {
    const { kind, pieces } = await split(' [ {"a":[1,{"b":"],[\\"}"}]} ,\n {"c":3} ] \n');
    expect(kind).toBe("element");
    expect(brief(pieces)).toEqual(['0:{"a":[1,{"b":"],[\\"}"}]}', '1:{"c":3}']);
  });

  test("without elements there are no events", async () => {
    expect((await split("[ ]")).pieces).toEqual([]);
  });

  test("a malformed or oversized element costs only itself", async () => {
    expect(brief((await split(`[{"a":1},{"a" 1},,${OVERSIZED},{"a":"\n},\n{"b":2}},{"c":3}]`)).pieces)).toEqual([
      '0:{"a":1}',
      "1 event.not_json",
      "2 event.not_json",
      "3 event.too_large",
      "4 event.not_json",
      "5 event.not_json",
      '6:{"c":3}',
    ]);
  });

  test("a file that ends within the array says so, and loses none of the elements before", async () => {
    expect(brief((await split('[{"a":1},{"b":')).pieces)).toEqual(['0:{"a":1}', "1 event.not_json"]);
    expect(brief((await split('[{"a":1},{"b":2}')).pieces)).toEqual(['0:{"a":1}', '1:{"b":2}', "2 event.not_json"]);
    expect(brief((await split('[{"a":1},')).pieces)).toEqual(['0:{"a":1}', "1 event.not_json"]);
  });

  test("anything after the array is refused", async () => {
    expect(brief((await split('[{"a":1}] {"b":2}')).pieces)).toEqual(['0:{"a":1}', "1 event.not_json"]);
  });
});

test("it does not matter where the file's chunks end, nor which of the two forms it has", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string({ unit: "grapheme", maxLength: 5 }), fc.json({ maxDepth: 2 }), { maxKeys: 3 }), {
        maxLength: 8,
      }),
      fc.integer({ min: 1, max: 50 }),
      async (events, chunkBytes) => {
        const inputs = JSON.parse(JSON.stringify(events)) as unknown[];
        const lines = await split(events.map((event) => JSON.stringify(event)).join("\n"), chunkBytes);
        const array = await split(JSON.stringify(events, null, 2), chunkBytes);
        expect(lines.pieces).toEqual(inputs.map((input, n) => ({ place: n + 1, input })));
        expect(array.pieces).toEqual(inputs.map((input, n) => ({ place: n, input })));
      },
    ),
  );
});
