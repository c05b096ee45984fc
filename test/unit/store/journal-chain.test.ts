/** The journal's chain: any change to what was written shows, and the first bad record is named. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chainRecords, GENESIS_HEAD, verifyChain } from "../../../src/store/journal-chain.js";

const bodies = ["signed in", "PIN set é", "", "locked"];
const records = chainRecords(GENESIS_HEAD, 1, bodies);

test("a record's hash is the SHA-256 of the hash before it and its body", () => {
  const first = createHash("sha256").update(GENESIS_HEAD).update("signed in").digest("hex");
  const second = createHash("sha256").update(first).update("PIN set é").digest("hex");
  expect(records.slice(0, 2)).toEqual([
    { seq: 1, body: "signed in", hash: first },
    { seq: 2, body: "PIN set é", hash: second },
  ]);
});

test("no records: the head stays", () => {
  expect(chainRecords(GENESIS_HEAD, 1, [])).toEqual([]);
  expect(verifyChain(GENESIS_HEAD, 1, [])).toEqual({ intact: true, head: GENESIS_HEAD });
});

test("batches chain like one: it does not matter where they were split", () => {
  const first = chainRecords(GENESIS_HEAD, 1, bodies.slice(0, 2));
  const rest = chainRecords(first[1]?.hash ?? "", 3, bodies.slice(2));
  expect([...first, ...rest]).toEqual(records);
});

test("what was written is intact, from any record on", () => {
  expect(verifyChain(GENESIS_HEAD, 1, records)).toEqual({ intact: true, head: records[3]?.hash });
  expect(verifyChain(records[1]?.hash ?? "", 3, records.slice(2))).toMatchObject({ intact: true });
});

describe("names the first bad record", () => {
  const [one, two, three, four] = records as [
    (typeof records)[0],
    (typeof records)[0],
    (typeof records)[0],
    (typeof records)[0],
  ];
  test.each([
    ["a body changed", [one, { ...two, body: "PIN not set" }, three, four], 2, "altered"],
    ["a hash changed", [one, two, { ...three, hash: GENESIS_HEAD }, four], 3, "altered"],
    ["a record removed", [one, three, four], 2, "missing"],
    ["a record removed and the rest renumbered", [one, { ...three, seq: 2 }, { ...four, seq: 3 }], 2, "altered"],
    ["two records swapped", [one, three, two, four], 2, "missing"],
    ["two bodies swapped", [one, { ...two, body: three.body }, { ...three, body: two.body }, four], 2, "altered"],
    ["a record inserted", [one, { ...one, seq: 2 }, { ...two, seq: 3 }, { ...three, seq: 4 }], 2, "altered"],
    ["a record repeated", [one, two, two, three, four], 3, "missing"],
  ] as const)("%s", (_, tampered, seq, reason) => {
    expect(verifyChain(GENESIS_HEAD, 1, tampered)).toEqual({ intact: false, seq, reason });
  });

  test("the record before the stretch is another one", () => {
    expect(verifyChain(one.hash, 1, records)).toEqual({ intact: false, seq: 1, reason: "altered" });
  });
});

/** Well-formed: unpaired surrogates all become the same bytes. */
const text = fc.string({ unit: "grapheme" });

test("whatever body is put in place of any record, it is that record that is named", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), fc.nat(), text, (written, at, body) => {
      const chained = chainRecords(GENESIS_HEAD, 1, written);
      const index = at % chained.length;
      fc.pre(written[index] !== body);
      const tampered = chained.map((record, n) => (n === index ? { ...record, body } : record));
      expect(verifyChain(GENESIS_HEAD, 1, tampered)).toEqual({ intact: false, seq: index + 1, reason: "altered" });
    }),
  );
});
