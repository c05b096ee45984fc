/** What comes out of a file from Graph, whatever it was exported with. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGraphDocuments } from "../../../machines/policy/graph-documents.js";
import { PolicyError } from "../../../machines/policy/policy-error.js";
import { accessDocument, EVERYONE, graphDocument, group, policyOf } from "./support.js";

const IOS = graphDocument("ios", { id: "P1" });
const ANDROID = graphDocument("android", { id: "P2" });
const ACCESS = accessDocument(["mfa"], { id: "A1" });
const kinds = (json: unknown) => readGraphDocuments(json).items.map(({ kind }) => kind);
const problems = (json: unknown) => readGraphDocuments(json).problems.map(({ code, path }) => [code, path]);

describe("an export", () => {
  test.each([
    ["of one object", IOS],
    ["wrapped in a value", { "@odata.context": "…", value: IOS }],
    ["of a list with one", { value: [IOS] }],
    ["of a bare list", [IOS]],
    ["of pages", [{ value: [IOS] }, { value: [] }]],
  ])("%s holds one policy, bare", (_how, json) => {
    const { items, problems: wrong } = readGraphDocuments(json);
    expect(items).toEqual([
      { kind: "appProtection", document: IOS, policy: policyOf("ios", { id: "P1" }), findings: [] },
    ]);
    expect(wrong).toEqual([]);
  });

  test("may mix types, each told by what it is", () => {
    const configuration = { "@odata.type": "#microsoft.graph.targetedManagedAppConfiguration", id: "c" };
    expect(kinds({ value: [IOS, ACCESS, configuration, ANDROID] })).toEqual([
      "appProtection",
      "conditionalAccess",
      "other",
      "appProtection",
    ]);
  });

  test("of a collection names its type once, for all", () => {
    const { "@odata.type": _, ...untyped } = IOS;
    const context = "https://graph.microsoft.com/beta/$metadata#deviceAppManagement/iosManagedAppProtections(apps())";
    const [item] = readGraphDocuments({ "@odata.context": context, value: [untyped] }).items;
    expect(item).toMatchObject({ kind: "appProtection", document: IOS });
    const one = `${context.replace("(apps())", "")}/$entity`;
    expect(kinds({ "@odata.context": one, ...untyped })).toEqual(["appProtection"]);
  });

  test("of assignments gives one list, which names no policy", () => {
    expect(readGraphDocuments({ assignments: [group("g"), EVERYONE] }).items).toEqual([
      { kind: "assignments", assignments: [group("g"), EVERYONE], findings: [] },
    ]);
    expect(kinds({ value: [group("g"), EVERYONE] })).toEqual(["assignments"]);
    expect(kinds({ value: group("g") })).toEqual(["assignments"]);
  });

  test("of registrations gives one list", () => {
    const registration = { "@odata.type": "#microsoft.graph.androidManagedAppRegistration", userId: "dana" };
    expect(readGraphDocuments({ value: [registration, registration] }).items).toEqual([
      { kind: "registrations", registrations: [registration, registration] },
    ]);
  });

  test("of something else says what it is", () => {
    const windows = { "@odata.type": "#microsoft.graph.windowsManagedAppProtection" };
    expect(readGraphDocuments(windows).items).toMatchObject([{ kind: "other", what: "windowsManagedAppProtection" }]);
  });
});

describe("what is wrong", () => {
  test("is all told, each with its place, and leaves the rest readable", () => {
    const broken = { ...ANDROID, minimumPinLength: 3, maximumPinRetries: 50, assignments: [{ target: {} }, group("")] };
    const reading = readGraphDocuments({ value: [IOS, broken, { id: "?" }, 7] });
    expect(reading.items).toHaveLength(1);
    expect(reading.problems.map(({ code, path }) => [code, path])).toEqual([
      ["policy.range", "$.value[1].minimumPinLength"],
      ["policy.range", "$.value[1].maximumPinRetries"],
      ["policy.assignment", "$.value[1].assignments[1].target.groupId"],
      ["policy.type_missing", '$.value[2]["@odata.type"]'],
      ["policy.not_object", "$.value[3]"],
    ]);
  });

  test("is two policies with one id, whatever its case", () => {
    expect(problems([IOS, { ...ANDROID, id: "p1" }])).toEqual([["policy.duplicate_id", "$[1].id"]]);
    expect(problems([ACCESS, ACCESS])).toEqual([["policy.duplicate_id", "$[1].id"]]);
    expect(problems([IOS, { ...ACCESS, id: "P1" }])).toEqual([]);
  });

  test.each([
    ["text", "policy.not_object", "$"],
    [null, "policy.not_object", "$"],
    [{ value: 7 }, "policy.type_missing", '$["@odata.type"]'],
    [{ assignments: [{}] }, "policy.assignment", "$.assignments[0].target"],
  ])("%j", (json, code, path) => expect(problems(json)).toEqual([[code, path]]));

  test("is depth beyond any export, however deep", () => {
    let conditions: object = {};
    for (let level = 0; level < 20_000; level += 1) conditions = { level: conditions };
    expect(problems({ ...ACCESS, conditions })).toEqual([["policy.nested", "$"]]);
  });

  test("never throws, and always says how to mend it", () => {
    const anything = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.jsonValue(),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            "value",
            "assignments",
            "target",
            "conditions",
            "grantControls",
            "users",
            "apps",
            "__proto__",
          ),
          tie("node"),
        ),
        fc.constantFrom(IOS, ACCESS),
      ),
    })).node;
    fc.assert(
      fc.property(anything, (json) => {
        for (const problem of readGraphDocuments(json).problems) {
          expect(problem).toBeInstanceOf(PolicyError);
          expect([problem.path, problem.fix]).toEqual([expect.stringMatching(/^\$/), expect.stringMatching(/\.$/)]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const FIXTURES = new URL("../../../../shared/fixtures/graph/", import.meta.url);
const files = existsSync(FIXTURES) ? readdirSync(FIXTURES).filter((name) => name.endsWith(".json")) : [];

describe.skipIf(files.length === 0)("Microsoft's own documents", () => {
  const read = (name: string) => readGraphDocuments(JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8")));

  test.each(files)("%s is read without a problem, as what it is", (name) => {
    const { items, problems: wrong } = read(name);
    expect(wrong).toEqual([]);
    const kind =
      /Registration/.test(name) && !name.startsWith("user.")
        ? "registrations"
        : /Assignment|assign\./.test(name)
          ? "assignments"
          : name.startsWith("conditionalAccess")
            ? "conditionalAccess"
            : name.startsWith("user.")
              ? "other"
              : "appProtection";
    expect(items.map((item) => item.kind)).toEqual([kind]);
  });

  const findingsOf = (name: string) =>
    read(name)
      .items.flatMap((item) => ("findings" in item ? item.findings : []))
      .map(({ property }) => property);

  test.each(files.filter((name) => name.includes(".framework-")))(
    "the template %s is understood wholly, and assigned to nobody yet",
    (name) => expect(findingsOf(name)).toEqual(["assignments"]),
  );

  test.each(files.filter((name) => /^(ios|android)ManagedAppProtection\.get/.test(name)))(
    "the filler of the reference sample %s is reported",
    (name) => {
      expect(findingsOf(name)).toEqual(
        expect.arrayContaining(["minimumPinLength", "periodOfflineBeforeAccessCheck", "minimumRequiredOsVersion"]),
      );
      expect(findingsOf(name)).not.toContain("periodOnlineBeforeAccessCheck");
    },
  );
});
