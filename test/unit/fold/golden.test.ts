/**
 * Journals that each version of the machine recorded. Under the version that recorded it a journal comes out again, record by record, and ends in
 * the same sessions; in a later version its sessions land.
 */
import { readFileSync, readdirSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { JournalRecord } from "../../../machines/outcome.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import { MACHINE_VERSION } from "../../../machines/session/chart.js";
import { STATE_NAMES, stateName } from "../../../machines/session/context.js";
import { decodeSession, encodeSession } from "../../../machines/session/snapshot.js";
import { type SessionId, resolveFacts } from "../../../machines/session/session.js";
import { SessionReplay } from "../../../machines/session-replay.js";
import { type CatalogueDocument, readCatalogue } from "../../../src/control/catalogue-document.js";

const directory = new URL("../../golden/", import.meta.url);

interface Golden {
  readonly version: number;
  readonly rulesOf: ConstructorParameters<typeof SessionReplay>[1]["rules"];
  readonly records: ReadonlyMap<SessionId, readonly JournalRecord[]>;
  readonly snapshots: readonly string[];
}

function read(file: string): Golden {
  const resolvers: Resolver[] = [];
  const records = new Map<SessionId, JournalRecord[]>();
  const snapshots: string[] = [];
  const text = gunzipSync(readFileSync(new URL(file, directory))).toString("utf8");
  for (const line of text.trimEnd().split("\n")) {
    const { catalogue, record, snapshot } = JSON.parse(line) as {
      readonly catalogue?: CatalogueDocument;
      readonly record?: JournalRecord;
      readonly snapshot?: string;
    };
    if (catalogue !== undefined) resolvers.push(new Resolver(readCatalogue(catalogue)));
    if (snapshot !== undefined) snapshots.push(snapshot);
    if (record === undefined) continue;
    const past = records.get(record.session);
    if (past === undefined) records.set(record.session, [record]);
    else past.push(record);
  }
  return {
    version: Number(/\d+/.exec(file)?.[0]),
    rulesOf: (version, session) => (resolvers[version - 1] as Resolver).rules(resolveFacts(session)),
    records,
    snapshots,
  };
}

const journals = readdirSync(directory).map(read);

test("every version has one, this one, too", () =>
  expect(journals.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
    Array.from({ length: MACHINE_VERSION }, (_, n) => n + 1),
  ));

describe.each(journals)("version $version", ({ version, rulesOf, records, snapshots }) => {
  test("is worth asking: its sessions were in every state", () => {
    const states = [...records.values()].flat().flatMap(({ to }) => (to === undefined ? [] : [stateName(to)]));
    expect([...new Set(states)].sort()).toEqual([...STATE_NAMES].sort());
  });

  test("leaves sessions that land in this version", () => {
    for (const snapshot of snapshots) expect(STATE_NAMES).toContain(stateName(decodeSession(snapshot).state));
  });

  // Whoever changes what comes out has made another machine: see docs/chart-versions.md.
  test.runIf(version === MACHINE_VERSION)("comes out again as it was recorded, and ends in the same sessions", () => {
    const stored = new Map(snapshots.map((snapshot) => [decodeSession(snapshot).id, snapshot]));
    for (const [id, past] of records) {
      const replay = new SessionReplay(id, { rules: rulesOf });
      for (const record of past) replay.take(record);
      const snapshot = stored.get(id);
      const { asOf } = snapshot === undefined ? { asOf: 0 } : decodeSession(snapshot);
      replay.end(asOf);
      expect([id, replay.notReplayed, replay.divergence]).toEqual([id, undefined, undefined]);
      expect(replay.session && encodeSession({ ...replay.session, asOf })).toBe(snapshot);
    }
  });
});
