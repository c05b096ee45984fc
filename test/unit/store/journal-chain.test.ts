/** The journal's chain: any change to what was written shows, and the first bad record is named. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyHash, chainRecords, GENESIS_HEAD, verifyChain } from "../../../src/store/journal-chain.js";
import type { JournalEntry } from "../../../src/store/partition-store.js";

const bodies = ["signed in", "PIN set é", "", "locked"];
const records = chainRecords(GENESIS_HEAD, 1, bodies);

test("a record's hash is the SHA-256 of the hash before it and its body's", () => {
  const sha = (...texts: string[]) => createHash("sha256").update(texts.join("")).digest("hex");
  const first = sha(GENESIS_HEAD, sha("signed in"));
  const second = sha(first, sha("PIN set é"));
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

/** A journal of which some records were erased. */
const erased = fc
  .tuple(fc.array(text, { minLength: 1 }), fc.infiniteStream(fc.boolean()))
  .map(([written, dice]): JournalEntry[] =>
    chainRecords(GENESIS_HEAD, 1, written).map(({ seq, body, hash }) =>
      dice.next().value ? { seq, bodyHash: bodyHash(body), hash, erasedAt: 1 } : { seq, body, hash },
    ),
  );
const other = "f".repeat(64);

describe("with tombstones in records' places", () => {
  test("the chain holds, whichever they are", () =>
    fc.assert(
      fc.property(erased, (entries) => {
        expect(verifyChain(GENESIS_HEAD, 1, entries)).toMatchObject({ intact: true, head: entries.at(-1)?.hash });
      }),
    ));

  test.each<[string, (entries: JournalEntry[], at: number) => JournalEntry[], number]>([
    [
      "changed",
      (entries, at) =>
        entries.with(
          at,
          "body" in (entries[at] as JournalEntry)
            ? { ...(entries[at] as JournalEntry), body: other }
            : { ...(entries[at] as JournalEntry), bodyHash: other },
        ),
      0,
    ],
    ["with another hash", (entries, at) => entries.with(at, { ...(entries[at] as JournalEntry), hash: other }), 0],
    ["inserted again", (entries, at) => entries.toSpliced(at, 0, entries[at] as JournalEntry), 1],
    [
      "inserted as one of its own",
      (entries, at) => entries.toSpliced(at, 0, { seq: at + 1, bodyHash: other, hash: other, erasedAt: 1 }),
      0,
    ],
  ])("a record or tombstone %s is found, and named", (_, tamper, later) => {
    fc.assert(
      fc.property(erased, fc.nat(), (entries, nat) => {
        const at = nat % entries.length;
        const verdict = verifyChain(GENESIS_HEAD, 1, tamper(entries, at));
        expect(verdict).toMatchObject({ intact: false, seq: at + 1 + later });
      }),
    );
  });

  test("one removed, but for the last, and two swapped are found, and named", () => {
    fc.assert(
      fc.property(erased, fc.nat(), (entries, nat) => {
        fc.pre(entries.length > 1);
        const at = nat % (entries.length - 1);
        const [one, two] = entries.slice(at, at + 2) as [JournalEntry, JournalEntry];
        for (const tampered of [entries.toSpliced(at, 1), entries.toSpliced(at, 2, two, one)])
          expect(verifyChain(GENESIS_HEAD, 1, tampered)).toMatchObject({ intact: false, seq: at + 1 });
      }),
    );
  });
});
