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
      numericConflicts: "default",
      approvedApplicationRetired: true,
      unknownMembership: "hold",
      apps: {
        "azure-mobile": {
          iosBundleId: "com.microsoft.azure",
          androidPackageId: "com.microsoft.azure",
          coreMicrosoftApp: true,
          microsoftApp: true,
          supportsAppProtection: true,
          cloudAppIds: [],
        },
      },
      messages: {},
    });
  });

  test("given in part, keep the rest", () => {
    const settings = TenantSettings.parse({ remediation: { enabled: false }, dispositions: { rooted: "none" } });
    expect(settings.remediation).toEqual({ enabled: false, maxAttempts: 3, attemptTimeoutMs: 60_000 });
    expect(settings.dispositions).toEqual({ ...DEFAULT_DISPOSITIONS, rooted: "none" });
    const { apps } = TenantSettings.parse({ apps: { notes: { iosBundleId: "org.contoso.notes" } } });
    expect(Object.keys(apps)).toEqual(["azure-mobile", "notes"]);
    expect(apps.notes).toMatchObject({ supportsAppProtection: true, coreMicrosoftApp: false, cloudAppIds: [] });
  });

  test.each([
    [{ remediation: { maxAttempts: 0 } }, "remediation.maxAttempts"],
    [{ remediation: { maxAttempts: 11 } }, "remediation.maxAttempts"],
    [{ remediation: { attemptTimeoutMs: 999 } }, "remediation.attemptTimeoutMs"],
    [{ remediation: { attemptTimeoutMs: 3_600_001 } }, "remediation.attemptTimeoutMs"],
    [{ dispositions: { rooted: "forgive" } }, "dispositions.rooted"],
    [{ dispositions: { gremlins: "none" } }, "dispositions"],
    [{ wipeComparison: "gt" }, "wipeComparison"],
    [{ numericConflicts: "first" }, "numericConflicts"],
    [{ apps: { "no spaces": {} } }, "apps"],
    [{ apps: { notes: { bundleId: "org.contoso.notes" } } }, "apps.notes"],
    [{ messages: { german: {} } }, "messages"],
    [{ messages: { de: { greeting: "Hallo" } } }, "messages.de"],
    [{ wipeOnSignout: true }, ""],
  ])("%j is refused, naming the place", (input, path) => {
    const issues = TenantSettings.safeParse(input).error?.issues.map((issue) => issue.path.join("."));
    expect(issues).toHaveLength(1);
    expect(issues?.[0]?.startsWith(path)).toBe(true);
  });
});
