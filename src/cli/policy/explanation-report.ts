/** An explanation in words: which policies cover the user, what they come to, and which of them says what. */
import { pinRulesText } from "../../../machines/decision.js";
import type { ExplainedAccess, ExplainedSetting, Explanation } from "../../../machines/policy/explain.js";
import type { ResolveFacts } from "../../../machines/policy/resolve-facts.js";
import type { PolicyRef } from "../../../machines/policy/rules.js";
import { columns, paintOut, wrapLine } from "../terminal.js";
import { ruleWords, valueWords } from "./words.js";

export interface ExplanationReport {
  /** The catalogue that was asked, in words. */
  readonly called: string;
  readonly facts: ResolveFacts;
  readonly account: string | undefined;
  readonly explanation: Explanation;
}

/** Policies that cover the user are numbered, so that each setting can name its own in little room. */
export function explanationLines({ called, facts, account, explanation }: ExplanationReport): string[] {
  const { rules, coverage, settings, conflicts, onDevice, unknown, conditionalAccess } = explanation;
  const numbers = new Map(rules.policies.map(({ id }, n) => [id, `[${n + 1}]`]));
  const refs = (policies: readonly PolicyRef[]) => policies.map(({ id }) => numbers.get(id) ?? id).join(" ");
  return [
    paintOut("bold", `${facts.user} in ${facts.app} on ${facts.platform}, by ${called}`),
    ...factLines(facts, account),
    ...section(
      "Policies",
      coverage.flatMap(({ policy, covers, why }) =>
        wrapLine([`  ${mark(covers)}`, numbers.get(policy.id), `${policy.name}: ${why}`].filter(Boolean).join(" "), 6),
      ),
      "  none",
    ),
    ...section("Rules", [...summaryLines(explanation), ...columns(settings.filter(isTold).map(settingRow(refs)))]),
    ...section(
      "Conflicts",
      conflicts.flatMap(({ property, values, chosen, rule }) => [
        `  ${property}: ${ruleWords(property, chosen)}, ${RULES[rule]}`,
        ...values.map(({ policy, value }) => paintOut("dim", `    ${refs([policy])} ${ruleWords(property, value)}`)),
      ]),
    ),
    ...section("Conditional access", conditionalAccess.flatMap(accessLines)),
    ...section(
      "Enforced by the app on the device only",
      onDevice.flatMap(({ property, values, meaning }) => [
        `  ${property}: ${[...new Set(values.map(({ value }) => valueWords(property, value)))].join(" / ")}`,
        ...wrapLine(`    ${meaning}`).map((line) => paintOut("dim", line)),
      ]),
    ),
    ...section(
      "Not known to this release, and without effect here",
      unknown.map(({ property, policies }) => `  ${property}  ${refs(policies)}`),
    ),
  ];
}

function section(title: string, lines: readonly string[], otherwise?: string): string[] {
  if (lines.length === 0 && otherwise === undefined) return [];
  return ["", paintOut("bold", title), ...(lines.length === 0 ? [otherwise ?? ""] : lines)];
}

function factLines({ licensed, groups, mdmEnrolled }: ResolveFacts, account: string | undefined): string[] {
  return columns([
    ["  license", licensed === undefined ? "never told, and taken as there" : licensed ? "yes" : "no"],
    ["  groups", groups === undefined ? "never told" : groups.length === 0 ? "none" : groups.join(", ")],
    ["  device", mdmEnrolled === true ? "managed as a whole" : "not managed as a whole"],
    ...(account === undefined ? [] : [["  account", account]]),
  ]);
}

function summaryLines({ rules }: Explanation): string[] {
  if (rules.membershipUnknown) {
    return wrapLine("  Access is held: a policy may cover the user, and the user's groups are not known.");
  }
  if (rules.policies.length === 0) {
    return wrapLine("  No policy covers the user: the account is not managed, and nothing is asked of it.");
  }
  return [
    ...wrapLine(`  PIN: ${rules.pin === null ? "none" : pinRulesText(rules)}`, 2),
    paintOut("dim", "  Said by policies; every other setting has its default (--json lists them):"),
  ];
}

const isTold = ({ rule }: ExplainedSetting): boolean => rule !== "default";

const settingRow =
  (refs: (policies: readonly PolicyRef[]) => string) =>
  ({ property, value, from, rule, noEffectWithout }: ExplainedSetting): string[] => [
    `  ${property}`,
    [
      ruleWords(property, value),
      paintOut("dim", from.length > 0 ? refs(from) : rule === "numericDefault" ? "the default" : "of several policies"),
      ...(noEffectWithout === undefined ? [] : [paintOut("dim", `(no effect without ${noEffectWithout})`)]),
    ].join(" "),
  ];

const RULES = {
  mostRestrictive: "the most restrictive",
  numericDefault: "the default, because numbers differ (setting numericConflicts)",
} as const;

function accessLines({ policy, applies, why, evaluated, operator, controls, notes }: ExplainedAccess): string[] {
  const lines = wrapLine(`  ${mark(applies && evaluated !== "nowhere")} ${policy.name}: ${why}`, 6);
  if (!applies) return lines;
  const asked = controls.length === 0 ? "nothing" : controls.join(operator === "AND" ? " and " : " or ");
  return [
    ...lines,
    ...wrapLine(`      ${EVALUATED[evaluated]}${asked}`, 2),
    ...notes.flatMap((text) => wrapLine(`      ${text}`, 2)).map((line) => paintOut("dim", line)),
  ];
}

const EVALUATED = {
  here: "demands ",
  elsewhere: "left to Entra's own verdict (ca.evaluated): ",
  nowhere: "not enforced: ",
} as const;

function mark(covers: boolean | "unknown"): string {
  if (covers === "unknown") return paintOut("yellow", "?  ");
  return covers ? paintOut("green", "yes") : paintOut("dim", "no ");
}
