/** The text of a test file from what a session went through: one that people read, change and keep. */
import type { Effect } from "../../machines/effects/catalogue.js";
import { spanText } from "./duration.js";
import type { RecordedStep } from "./from-history.js";
import type { CompleteRules } from "./redaction.js";
import type { Scenario } from "./scenario.js";

interface Played {
  readonly scenario: Scenario;
  readonly steps: readonly RecordedStep[];
  readonly rules: readonly CompleteRules[];
}

export function specificationSource({ scenario, steps, rules }: Played): string {
  const body = steps.map((step, n) => stepLines(step, steps[n - 1]).join("\n")).join("\n");
  const { decision, reasons } = scenario.decision;
  const tookMs = steps.reduce((sum, { afterMs }) => sum + afterMs, 0);
  const used = KIT.filter((name) => body.includes(`${name}(`));
  const imports = [...new Set([...used, "givenSession", "ofSession", "rules"])].sort();
  return `/**
 * What one session went through, from its history by \`gatehouse export-spec\`. Ids, names and free text are replaced, times are
 * relative. It runs by itself with vitest and \`gatehouse/testing\`; change it as you like.
 */
import { test } from "vitest";
import { ${imports.join(", ")} } from "gatehouse/testing";

${rules.map((spec, n) => `const ${rulesName(n)} = rules(${literal(spec, "")});`).join("\n\n")}

test("a session's history: ${steps.length} steps in ${spanText(tookMs)}, to ${scenario.session.state}", () => {
  givenSession(ofSession(${JSON.stringify(scenario.id)}), ${rulesName(0)})
${body}
    .decides(${[decision, ...reasons].map((word) => JSON.stringify(word)).join(", ")});
});
`;
}

/** Builders that answer whatever attempt or wipe stands. */
const ANSWERS = {
  "remediation.completed": "remediationCompleted",
  "wipe.completed": "wipeCompleted",
  "wipe.failed": "wipeFailed",
  "wipe.cancelled": "wipeCancelled",
} as const;

/** What of the kit a step may use. */
const KIT = ["after", "asUserVersion", "dueIn", "effect", "late", ...Object.values(ANSWERS)] as const;
const rulesName = (n: number): string => `RULES_${n + 1}`;

function stepLines(step: RecordedStep, before: RecordedStep | undefined): string[] {
  const whats = [
    ...Object.entries(before?.deadlines ?? {}).map(([name, ms]) => `dueIn(${JSON.stringify(name)}, ${span(ms)})`),
    ...(step.afterMs > 0 || (step.event === undefined && step.rules === undefined)
      ? [`after(${span(step.afterMs)})`]
      : []),
    ...(step.rules === undefined ? [] : [rulesName(step.rules)]),
    ...(step.event === undefined ? [] : [eventText(step)]),
  ];
  return [
    callText("when", whats),
    ...(step.outcome === "applied" || step.event === undefined ? [] : [callText("is", [JSON.stringify(step.outcome)])]),
    callText("leadsTo", [JSON.stringify(step.leadsTo)]),
    callText("givesExactly", step.effects.map(effectSource)),
  ];
}

/** A call in the chain: on one line if it fits, else an argument a line. */
function callText(method: string, given: readonly string[]): string {
  return `    .${list(`${method}(`, ")", given, "    ")}`;
}

const span = (ms: number): string => JSON.stringify(spanText(ms));

function eventText({ event: told, answersOwn }: RecordedStep): string {
  if (told === undefined || typeof told.event === "function") return "";
  const { event, lateMs = 0, userVersion } = told;
  let text = literal(event, ARGUMENT);
  if (answersOwn === true) {
    const { type, requestId: _, attemptId: __, ...data } = event as Readonly<Record<string, unknown>>;
    text = `${ANSWERS[type as keyof typeof ANSWERS]}(${argumentsText(type as string, data)})`;
  }
  if (lateMs > 0) text = `late(${text}, ${span(lateMs)})`;
  return userVersion === undefined ? text : `asUserVersion(${text}, ${userVersion})`;
}

function argumentsText(type: string, { status, ...data }: Readonly<Record<string, unknown>>): string {
  const rest = Object.keys(data).length === 0 ? [] : [literal(data, ARGUMENT)];
  return (type === "remediation.completed" ? [JSON.stringify(status), ...rest] : rest).join(", ");
}

function effectSource(effect: Effect): string {
  if (effect.type === "notify" && Object.keys(effect.data.data).length === 0) {
    return JSON.stringify(`notify(${effect.data.key})`);
  }
  // Ids that Gatehouse makes say when they were made; the specification is not about that.
  const data = Object.entries(effect.data).filter(
    ([field, value]) => field !== "attemptId" && !(field === "requestId" && String(value).startsWith("own-")),
  );
  if (data.length === 0) return JSON.stringify(effect.type);
  return `effect(${JSON.stringify(effect.type)}, ${literal(Object.fromEntries(data), ARGUMENT)})`;
}

/** How deep an argument of the chain stands. */
const ARGUMENT = "      ";

const NAME = /^[A-Za-z_$][\w$]*$/;
const WIDTH = 110;

/** A value as source: on one line if it fits, else a field a line. */
function literal(value: unknown, indent: string): string {
  if (Array.isArray(value))
    return list(
      "[",
      "]",
      value.map((item) => literal(item, `${indent}  `)),
      indent,
    );
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => `${NAME.test(name) ? name : JSON.stringify(name)}: ${literal(inner, `${indent}  `)}`);
  return list("{", "}", fields, indent);
}

function list(open: string, close: string, items: readonly string[], indent: string): string {
  if (items.length === 0) return open + close;
  const pad = open === "{" ? " " : "";
  const line = `${open}${pad}${items.join(", ")}${pad}${close}`;
  if (line.length + indent.length <= WIDTH && !line.includes("\n")) return line;
  return `${open}\n${items.map((item) => `${indent}  ${item},\n`).join("")}${indent}${close}`;
}
