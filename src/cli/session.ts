/** `gatehouse session`: everything about one session, as it stands now. */
import type { Command } from "commander";
import { decide, pinRulesText } from "../../machines/decision.js";
import type { Condition, Rules } from "../../machines/policy/rules.js";
import type { Session } from "../../machines/session/session.js";
import { readConfig } from "../config.js";
import { type Look, look } from "../sessions/look.js";
import { type FoundSession, factsOf, sessionDocument, timersOf } from "../sessions/session-document.js";
import { type NextEvent, nextEvents } from "../sessions/next-events.js";
import { decisionLines } from "./decide.js";
import { NotFoundError } from "./failure.js";
import { JSON_OPTION, sessionIdOf, shortId } from "./options.js";
import { openToRead } from "./redis-access.js";
import { columns, duration, instant, paintOut, print, printJson, wrap } from "./terminal.js";

const EXAMPLE = `
Example:
  $ gatehouse session phone-17/adele

ID is device/user, device/user/app or tenant/device/user/app. Accepted events that no worker has processed yet are
counted in, as for a decision.`;

export function sessionCommand(program: Command): void {
  program
    .command("session")
    .summary("show one session: facts, deadlines, rules, next events")
    .description(
      "Shows a session: where it rests and why, its deadlines, the rules in force and the events it would answer.",
    )
    .argument("<session>", "device/user[/app], or all of tenant/device/user/app")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(async (text: string, { json }: { readonly json?: true }) => {
      const config = readConfig();
      const id = sessionIdOf(text, config.tenant);
      const deployment = await openToRead(config);
      try {
        const found = readable(id, await look(deployment, id));
        if (json) printJson(sessionDocument(found));
        else for (const line of page(found)) print(line);
      } finally {
        await deployment.close();
      }
    });
}

/** @throws NotFoundError if there is none, or none that can be read */
export function readable(id: string, found: Look): FoundSession {
  const { session, rules } = found;
  if (session === undefined) {
    throw new NotFoundError(`there is no session ${id}`, {
      fix: "A session begins with account.signedIn. `gatehouse sessions --device …` or `--user …` lists those that are there.",
    });
  }
  if ("unreadable" in session || rules === undefined) {
    throw new NotFoundError(
      `the stored session ${id} can't be read: ${"unreadable" in session ? session.unreadable : "no rules"}`,
      {
        fix: "Decisions for it are deny until it is repaired. Its records are still in the journal.",
      },
    );
  }
  return { ...found, session, rules };
}

function page(found: FoundSession): string[] {
  const { session, rules, now, waiting, partition, lastRecord } = found;
  const events = nextEvents(session, rules, now);
  return [
    paintOut("bold", shortId(session.id)),
    ...columns([
      ["  state", session.state],
      ["  revision", `${session.revision}, last record ${lastRecord} of partition ${partition}`],
      ["  now", `${instant(now)} UTC`],
      ...(waiting === 0 ? [] : [["  waiting", `${waiting} accepted events, not processed yet, counted in here`]]),
      ...(session.quarantine === undefined ? [] : [["  quarantined", session.quarantine.reason]]),
    ]),
    "",
    ...decisionLines(decide(session, rules, now)),
    ...section("Deadlines", deadlineLines(session, now)),
    ...section("Facts", columns(factsOf(session).map(([name, value]) => [`  ${name}`, briefly(value)]))),
    ...section(`Rules ${rules.hash}`, rulesLines(rules)),
    ...section("Events it would answer", eventLines(events)),
  ];
}

const section = (title: string, lines: readonly string[]): string[] => ["", paintOut("bold", title), ...lines];

function deadlineLines(session: Session, now: number): string[] {
  const timers = timersOf(session);
  if (timers.length === 0) return ["  none"];
  return columns(
    timers.map(({ id, due, event }) => [`  ${id}`, instant(due), `in ${duration(due - now)}`, `→ ${event}`]),
  );
}

/** The least number in a fact that is an instant in epoch ms and no count or duration. */
const LEAST_INSTANT_MS = 100_000_000_000;

/** A value as a person reads it: `{length: 6, kind: numeric}`. */
function briefly(value: unknown): string {
  if (Array.isArray(value)) return value.map(briefly).join(", ");
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return fields.map(([name, inner]) => `${name}: ${briefly(inner)}`).join(", ");
  }
  return typeof value === "number" && value >= LEAST_INSTANT_MS ? instant(value) : String(value);
}

function rulesLines(rules: Rules): string[] {
  if (rules.policies.length === 0) return ["  no policy covers this session"];
  const limit = (ms: number | null): string => (ms === null ? "never" : `after ${duration(ms)}`);
  return [
    ...rules.policies.map(({ name }) => `  ${name}`),
    ...columns([
      [
        "  PIN",
        rules.pin === null
          ? "none asked for"
          : `${pinRulesText(rules)}; ${rules.pin.maxAttempts} attempts, then ${rules.pin.whenAttemptsSpent}`,
      ],
      ["  access check", limit(rules.recheckAfterMs)],
      ["  offline", `block ${limit(rules.offline.blockAfterMs)}, wipe ${limit(rules.offline.wipeAfterMs)}`],
      ...rules.conditions.map((condition) => [
        `  ${condition.action}`,
        `${condition.property} ${limitOf(condition)}`.trimEnd(),
      ]),
    ]),
  ];
}

/** What the condition compares with, where its property alone does not say it. */
function limitOf(condition: Condition): string {
  if ("value" in condition) return condition.value;
  if ("days" in condition) return `${condition.days} d`;
  if ("allowed" in condition) return condition.allowed.join(", ");
  if ("atLeast" in condition) return condition.atLeast;
  if ("level" in condition) return condition.level;
  return "atMost" in condition ? condition.atMost : "";
}

function eventLines(events: readonly NextEvent[]): string[] {
  if (events.length === 0) return ["  none"];
  const names = events.map(({ type, conditional }) => (conditional ? `${type}*` : type));
  const hasConditional = events.some(({ conditional }) => conditional);
  return [...wrap(names, "  "), ...(hasConditional ? [paintOut("dim", "  * depending on what it says")] : [])];
}
