/** What an administrator's files hold: all of it or nothing, and nothing passed over in silence. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { EMPTY_CONTENT, readCatalogue } from "../../../src/control/catalogue-document.js";
import { PolicyKindError, PolicyUnknownError } from "../../../src/control/catalogue-errors.js";
import { type ImportFile, applyImport, readImport } from "../../../src/control/import-documents.js";
import { IOS_ID, android, content, financeAccess, ios, without } from "./support.js";

const file = (name: string, json: unknown): ImportFile => ({
  name,
  bytes: Buffer.from(typeof json === "string" ? json : JSON.stringify(json)),
});

const ids = (files: readonly ImportFile[]) => readImport(files).policies.map(({ policy }) => policy.id);
const problems = (...files: readonly ImportFile[]) =>
  readImport(files).problems.map(({ file: name, path, code }) => [name, path, code]);

describe("what is wrong is told with its file, and all of it", () => {
  test.each([
    ["no JSON", "{", "$", "import.not_json"],
    ["an empty file", "  ", "$", "import.not_json"],
    ["no object", '"text"', "$", "policy.not_object"],
    ["a number out of range", { ...ios, minimumPinLength: 99 }, "$.minimumPinLength", "policy.range"],
    [
      "an assignment to nothing",
      { ...ios, assignments: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget" } }] },
      "$.assignments[0].target.groupId",
      "policy.assignment",
    ],
    ["two policies with one id", [ios, { ...ios, pinRequired: false }], "$[1].id", "policy.duplicate_id"],
  ])("%s", (_, json, path, code) => {
    expect(problems(file("a.json", json))).toEqual([["a.json", path, code]]);
  });

  test("in several files at once", () => {
    const found = problems(file("a.json", "{"), file("b.json", ios), file("c.json", { ...ios, maximumPinRetries: -1 }));
    expect(found.map(([name]) => name)).toEqual(["a.json", "c.json"]);
  });

  test("one id in two files that can't be told apart by age", () => {
    const other = { ...ios, minimumPinLength: 8 };
    expect(problems(file("a.json", ios), file("b.json", other))).toEqual([["b.json", "$", "policy.duplicate_id"]]);
  });
});

describe("one policy that was exported twice", () => {
  test("counts as it was changed last, in whatever order the files come", () => {
    const later = { ...ios, minimumPinLength: 8, lastModifiedDateTime: "2025-04-01T00:00:00Z" };
    for (const files of [
      [file("a.json", ios), file("b.json", later)],
      [file("b.json", later), file("a.json", ios)],
    ]) {
      const { policies, passedOver, problems: wrong } = readImport(files);
      expect(policies.map(({ document }) => document["minimumPinLength"])).toEqual([8]);
      expect([passedOver.map((one) => one.file), wrong]).toEqual([["a.json"], []]);
    }
  });

  test("counts as the fuller export shows it, where the two agree", () => {
    const shorter = without(ios, "previousPinBlockCount", "apps");
    const { policies, passedOver } = readImport([file("beta.json", ios), file("v1.json", shorter)]);
    expect([policies.map((one) => one.file), passedOver.map((one) => one.file)]).toEqual([["beta.json"], ["v1.json"]]);
  });
});

test("what is no policy is passed over, and it is said where it belongs", () => {
  const { passedOver, policies } = readImport([
    file("ios.json", ios),
    file("registrations.json", { value: [{ "@odata.type": "#microsoft.graph.iosManagedAppRegistration" }] }),
  ]);
  expect(policies.length).toBe(1);
  expect(passedOver).toEqual([
    {
      file: "registrations.json",
      what: "a registration",
      hint: expect.stringContaining("gatehouse registrations import"),
    },
  ]);
});

test("a control that nobody knows is imported, and said never to be satisfied", () => {
  const grantControls = { operator: "AND", builtInControls: ["mfa", "retinaScan"] };
  const { policies, findings, problems: wrong } = readImport([file("ca.json", { ...financeAccess, grantControls })]);
  expect([policies.length, wrong]).toEqual([1, []]);
  expect(findings).toContainEqual(
    expect.objectContaining({ file: "ca.json", value: "retinaScan", usedInstead: "never satisfied" }),
  );
});

describe("into a draft", () => {
  const applied = (before: ReturnType<typeof content>, ...files: readonly ImportFile[]) =>
    applyImport(before, readImport(files));

  test("a new policy is added, one with a known id replaced, an equal one left", () => {
    const before = content(ios, android);
    const changed = { ...android, minimumPinLength: 10 };
    const { content: after, imported } = applied(before, file("a.json", [ios, changed, financeAccess]));
    expect(Object.fromEntries(imported.map(({ name, change }) => [name, change]))).toEqual({
      [ios["displayName"] as string]: "unchanged",
      [android["displayName"] as string]: "replaced",
      [financeAccess["displayName"] as string]: "added",
    });
    expect([after.policies.length, after.conditionalAccess.length]).toEqual([2, 1]);
    expect(after.policies).toContainEqual(changed);
  });

  test("an export without assignments leaves the ones that were made here", () => {
    const assigned = { ...ios, assignments: [] };
    const again = without({ ...ios, minimumPinLength: 8 }, "assignments");
    const { content: after, imported } = applied(content(assigned), file("a.json", again));
    expect(imported).toMatchObject([{ change: "replaced", keptAssignments: true }]);
    expect(readCatalogue({ ...after, version: 1 }).policies[0]?.targeting.everyone).toBe(false);
  });

  const list = {
    value: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: "FINANCE" } }],
  };

  test("a list of assignments goes to the policy that is named", () => {
    const { content: after } = applyImport(content(ios, android), readImport([file("list.json", list)]), "6f1d2c84");
    const [one, other] = readCatalogue({ ...after, version: 1 }).policies;
    expect([one, other].find((policy) => policy?.id === IOS_ID)?.targeting.includedGroups).toEqual(["FINANCE"]);
  });

  test("a policy that is not there, or takes no assignments, is an error", () => {
    const reading = readImport([file("list.json", list)]);
    const access = { ...EMPTY_CONTENT, conditionalAccess: [financeAccess] };
    expect(() => applyImport(content(ios), reading, "nothing")).toThrow(PolicyUnknownError);
    expect(() => applyImport(access, reading, financeAccess["id"] as string)).toThrow(PolicyKindError);
  });
});

const FIXTURES = fileURLToPath(new URL("../../../../shared/fixtures/graph/", import.meta.url));

test.runIf(existsSync(FIXTURES))("a directory of real exports and documentation samples is read whole", () => {
  const files = readdirSync(FIXTURES)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ name, bytes: readFileSync(FIXTURES + name) }));
  const reading = readImport(files);
  expect(reading.problems).toEqual([]);
  const taken = new Set(
    [...reading.policies, ...reading.assignments, ...reading.passedOver].map(({ file: name }) => name),
  );
  expect([...taken].sort()).toEqual(files.map(({ name }) => name));
  expect(readCatalogue({ ...applyImport(EMPTY_CONTENT, reading).content, version: 1 }).policies.length).toBe(6);
  expect(ids(files).length).toBe(10);
});
