import { describe, expect, test } from "vitest";
import { DEFAULT_DISPOSITIONS } from "../../../machines/policy/causes.js";
import { TenantSettings } from "../../../machines/policy/settings.js";

describe("tenant settings", () => {
  test("left out, take their defaults", () => {
    expect(TenantSettings.parse({})).toEqual({
      dispositions: DEFAULT_DISPOSITIONS,
      remediation: { enabled: true, maxAttempts: 3, attemptTimeoutMs: 60_000 },
      wipeComparison: "lt",
      wipeOnSignOut: true,
    });
  });

  test("given in part, keep the rest", () => {
    const settings = TenantSettings.parse({ remediation: { enabled: false }, dispositions: { rooted: "none" } });
    expect(settings.remediation).toEqual({ enabled: false, maxAttempts: 3, attemptTimeoutMs: 60_000 });
    expect(settings.dispositions).toEqual({ ...DEFAULT_DISPOSITIONS, rooted: "none" });
  });

  test.each([
    [{ remediation: { maxAttempts: 0 } }, "remediation.maxAttempts"],
    [{ remediation: { maxAttempts: 11 } }, "remediation.maxAttempts"],
    [{ remediation: { attemptTimeoutMs: 999 } }, "remediation.attemptTimeoutMs"],
    [{ remediation: { attemptTimeoutMs: 3_600_001 } }, "remediation.attemptTimeoutMs"],
    [{ dispositions: { rooted: "forgive" } }, "dispositions.rooted"],
    [{ dispositions: { gremlins: "none" } }, "dispositions"],
    [{ wipeComparison: "gt" }, "wipeComparison"],
    [{ wipeOnSignout: true }, ""],
  ])("%j is refused, naming the place", (input, path) => {
    const issues = TenantSettings.safeParse(input).error?.issues.map((issue) => issue.path.join("."));
    expect(issues).toHaveLength(1);
    expect(issues?.[0]?.startsWith(path)).toBe(true);
  });
});
