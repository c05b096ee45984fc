/** The policy walk as a fold: which sessions it writes, and what a partition need no longer remember when it is over. */
import { expect, test } from "vitest";
import type { PartitionPolicies } from "../../../machines/fold-batch.js";
import { foldWalk, neededWalk } from "../../../machines/walk.js";

const NOON = Date.parse("2026-03-02T12:00:00Z");
const never = () => {
  throw new Error("no session, no rules");
};

const published: PartitionPolicies = {
  contoso: {
    base: 3,
    broadcasts: [
      { version: 4, at: NOON },
      { version: 5, at: NOON + 1 },
    ],
  },
  fabrikam: { base: 7, broadcasts: [] },
  tailspin: { base: 0, broadcasts: [{ version: 1, at: NOON }] },
};

const lastChunk = (policies: PartitionPolicies, versions: Record<string, number>) =>
  foldWalk(
    {
      policies,
      walk: { versions, position: null, seen: 0, lifted: 0 },
      sessions: [],
      next: null,
      clock: NOON + 10,
      seq: 0,
    },
    never,
  );

test("a walk is needed for each tenant that published, and brings its newest version", () => {
  expect(neededWalk(published)?.versions).toEqual({ contoso: 5, tailspin: 1 });
  expect(neededWalk({ fabrikam: { base: 7, broadcasts: [] } })).toBeUndefined();
  expect(neededWalk({})).toBeUndefined();
});

test("when it is over, what it brought is what later versions come after", () => {
  const { policies, walk } = lastChunk(published, { contoso: 5, tailspin: 1 });
  expect(walk).toBeUndefined();
  expect(policies).toEqual({
    contoso: { base: 5, broadcasts: [] },
    fabrikam: { base: 7, broadcasts: [] },
    tailspin: { base: 1, broadcasts: [] },
  });
});

test("what was published while it went on is left for the next", () => {
  const { policies } = lastChunk(published, { contoso: 4 });
  expect(policies["contoso"]).toEqual({ base: 4, broadcasts: [{ version: 5, at: NOON + 1 }] });
  expect(neededWalk(policies)?.versions).toEqual({ contoso: 5, tailspin: 1 });
});

test("a version that the partition lost again in a failover is not taken for brought", () => {
  const { policies } = lastChunk(published, { contoso: 6, fabrikam: 9, tailspin: 1 });
  expect(policies).toEqual({
    contoso: { base: 5, broadcasts: [] },
    fabrikam: { base: 7, broadcasts: [] },
    tailspin: { base: 1, broadcasts: [] },
  });
});

test("before its last chunk nothing is forgotten, and a snapshot that can't be read is passed by", () => {
  const chunk = {
    policies: published,
    walk: { versions: { contoso: 5 }, position: "a", seen: 10, lifted: 4 },
    sessions: [{ unreadable: "not JSON" }],
    next: "b",
    clock: NOON + 10,
    seq: 0,
  };
  const { policies, walk, sessions } = foldWalk(chunk, never);
  expect(policies).toBe(published);
  expect(walk).toEqual({ versions: { contoso: 5 }, position: "b", seen: 11, lifted: 4 });
  expect(sessions.size).toBe(0);
});
