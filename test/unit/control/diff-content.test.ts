/** What differs between two catalogues, as an administrator reads it. */
import { expect, test } from "vitest";
import { type ContentDiff, diffContent, isEmptyDiff } from "../../../src/control/diff-content.js";
import { EMPTY_CONTENT } from "../../../src/control/catalogue-document.js";
import { IOS_ID, android, content, financeAccess, ios, without } from "./support.js";

const policies = ({ policies: changes }: ContentDiff) =>
  changes.map(({ id, change, properties }) => [id, change, properties] as const);

test("equal catalogues do not differ, in whatever order", () => {
  const diff = diffContent(content(ios, android), content(android, { ...ios }));
  expect([isEmptyDiff(diff), diff]).toEqual([true, { policies: [], settings: [] }]);
});

test("a policy that came, one that went", () => {
  const diff = diffContent(content(ios), content(android));
  expect(policies(diff)).toEqual([
    [IOS_ID, "removed", []],
    [android["id"], "added", []],
  ]);
});

test("a changed property with its value before and after; one that is new, one that is gone", () => {
  const after = { ...without(ios, "pinRequired"), minimumPinLength: 8, dialerRestrictionLevel: "blocked" };
  expect(policies(diffContent(content(ios), content(after)))).toEqual([
    [
      IOS_ID,
      "changed",
      [
        { property: "dialerRestrictionLevel", before: undefined, after: "blocked" },
        { property: "minimumPinLength", before: 6, after: 8 },
        { property: "pinRequired", before: true, after: undefined },
      ],
    ],
  ]);
});

test("deeper values go by their path, and settings as policies do", () => {
  const stricter = { ...financeAccess, grantControls: { operator: "AND", builtInControls: ["mfa"] } };
  const diff = diffContent(
    { ...EMPTY_CONTENT, conditionalAccess: [financeAccess] },
    { ...EMPTY_CONTENT, conditionalAccess: [stricter], settings: { remediation: { enabled: false } } },
  );
  expect(policies(diff)[0]?.[2].map(({ property }) => property)).toContain("grantControls.builtInControls");
  expect(diff.settings).toEqual([{ property: "remediation.enabled", before: undefined, after: false }]);
});

test("OData's decoration is no change", () => {
  const decorated = {
    ...ios,
    "@odata.context": "https://graph",
    "apps@odata.context": "x",
    "#microsoft.graph.assign": {},
  };
  expect(isEmptyDiff(diffContent(content(ios), content(decorated)))).toBe(true);
});
