/** One line of a bulk import of users: ours, or a user as Microsoft Graph exports it. */
import { z } from "zod";
import { Id } from "../../machines/events/fields.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { type UserFacts, canonicalGroups } from "../../machines/users/user-record.js";

/** Groups of one user at most. */
const MAX_GROUPS = 2_000;

/** A line of this size holds a user of as many groups as may be. */
export const LINE_BYTES = 128 * 1024;

const Groups = z.array(Id).max(MAX_GROUPS);

const OwnLine = z.strictObject({
  user: Id,
  licensed: z.boolean().optional(),
  groups: Groups.optional(),
  account: z.enum(["enabled", "disabled"]).optional(),
});

/** Of a Graph user only what says something about license, groups and account is read; whatever else it has is left alone. */
const GraphUser = z.object({
  id: Id,
  accountEnabled: z.boolean().nullish(),
  assignedLicenses: z.array(z.unknown()).nullish(),
  assignedPlans: z.array(z.object({ service: z.string().nullish(), capabilityStatus: z.string().nullish() })).nullish(),
  memberOf: z
    .array(z.object({ id: Id, "@odata.type": z.string().optional() }))
    .max(MAX_GROUPS)
    .nullish(),
});

export interface UserLine {
  readonly user: string;
  readonly facts: UserFacts;
}

export type ReadLine = UserLine | { readonly path: readonly PropertyKey[]; readonly message: string };

/** @param line parsed from JSON */
export function readUserLine(line: unknown): ReadLine {
  const isGraph = typeof line === "object" && line !== null && "id" in line && !("user" in line);
  const parsed = isGraph ? GraphUser.transform(ofGraph).safeParse(line) : OwnLine.transform(own).safeParse(line);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new Error("a failed parse has issues");
  return issue.code === "unrecognized_keys"
    ? { path: [...issue.path, issue.keys[0] ?? ""], message: "not a field of a user" }
    : { path: issue.path, message: issue.message };
}

function own({ user, licensed, groups, account }: z.infer<typeof OwnLine>): UserLine {
  return { user: canonicalId(user), facts: factsOf(licensed, groups, account) };
}

/** Intune calls itself SCO among the service plans. */
const INTUNE_SERVICE = "SCO";
const WORKING_PLANS: ReadonlySet<string> = new Set(["Enabled", "Warning"]);

function ofGraph({
  id,
  accountEnabled,
  assignedLicenses,
  assignedPlans,
  memberOf,
}: z.infer<typeof GraphUser>): UserLine {
  // Plans say which services a license is for; without them any license is taken to be one for Intune.
  const licensed =
    assignedPlans?.some(
      ({ service, capabilityStatus }) => service === INTUNE_SERVICE && WORKING_PLANS.has(capabilityStatus ?? ""),
    ) ?? (assignedLicenses ? assignedLicenses.length > 0 : undefined);
  const groups = memberOf
    ?.filter(({ "@odata.type": type }) => type === undefined || type.endsWith(".group"))
    .map((group) => group.id);
  const account = typeof accountEnabled === "boolean" ? (accountEnabled ? "enabled" : "disabled") : undefined;
  return { user: canonicalId(id), facts: factsOf(licensed, groups, account) };
}

function factsOf(
  licensed: boolean | undefined,
  groups: readonly string[] | undefined,
  account: UserFacts["account"],
): UserFacts {
  return {
    ...(licensed !== undefined && { licensed }),
    ...(groups !== undefined && { groups: canonicalGroups(groups) }),
    ...(account !== undefined && { account }),
  };
}
