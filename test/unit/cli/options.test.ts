/** What people type on the command line. */
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/cli/failure.js";
import { sessionIdOf, shortId, span } from "../../../src/cli/options.js";

describe("a session", () => {
  test.each([
    ["phone/adele", "contoso/phone/adele/azure-mobile"],
    ["phone/adele/mail", "contoso/phone/adele/mail"],
    ["fabrikam/phone/adele/mail", "fabrikam/phone/adele/mail"],
    ["5B2D6E10-0000-4000-8000-00000000ABCD/adele", "contoso/5b2d6e10-0000-4000-8000-00000000abcd/adele/azure-mobile"],
  ])("%s is %s", (text, id) => {
    expect(sessionIdOf(text, "contoso")).toBe(id);
  });

  test.each(["", "phone", "phone/", "phone/a b", "a/b/c/d/e", "ten ant/phone/adele/mail"])("%j names none", (text) => {
    expect(() => sessionIdOf(text, "contoso")).toThrow(UsageError);
  });

  test("is printed so that it can be given back", () => {
    for (const id of ["contoso/phone/adele/azure-mobile", "contoso/phone/adele/mail"]) {
      expect(sessionIdOf(shortId(id), "contoso")).toBe(id);
    }
  });
});

test("a time has a unit", () => {
  expect([span("500ms"), span("30s"), span("2m"), span("1h")]).toEqual([500, 30_000, 120_000, 3_600_000]);
  for (const text of ["30", "s", "-1s", "1.5s", "1d"]) expect(() => span(text)).toThrow("Give a time");
});
