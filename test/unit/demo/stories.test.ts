import { describe, expect, test } from "vitest";
import { type Decision, decide } from "../../../machines/decision.js";
import { resolve } from "../../../machines/policy/resolve.js";
import { type Session, resolveFacts } from "../../../machines/session/session.js";
import { readCatalogue } from "../../../src/control/catalogue-document.js";
import { cast, sessionIdOf, type StorylineName } from "../../../src/demo/cast.js";
import { DAY_END_MS } from "../../../src/demo/day.js";
import { demoPolicies } from "../../../src/demo/policies.js";
import { pickStories, tellStory } from "../../../src/demo/stories.js";
import { dayOf, fold } from "./support.js";

const SEED = 1;
const DEVICES = 100;
const { records, sessions } = fold(dayOf(SEED, DEVICES));
const noon = readCatalogue(demoPolicies().noon);

function decisionOn(session: Session): Decision {
  return decide(session, resolve(noon, resolveFacts(session)), DAY_END_MS);
}

function storyOf(id: string): string[] {
  const final = sessions.get(id);
  if (final === undefined) throw new Error(`${id} has no session`);
  return tellStory(
    records.filter(({ session }) => session === id),
    final,
    decisionOn(final),
  );
}

function storyOfFirst(storyline: StorylineName): string {
  const character = [...cast(SEED, DEVICES)].find((one) => one.storyline === storyline);
  if (character === undefined) throw new Error(`nobody lives ${storyline}`);
  return storyOf(sessionIdOf(character.device, character.users[0])).join("\n");
}

describe("picked stories", () => {
  test("three sessions that exist, of different storylines, the same each time", () => {
    const picks = pickStories(SEED, DEVICES);
    expect(picks).toEqual(pickStories(SEED, DEVICES));
    expect(new Set(picks.map(({ title }) => title)).size).toBe(3);
    for (const { session } of picks) expect(sessions.has(session)).toBe(true);
  });

  test("a fleet of one has one story at most", () => {
    expect(pickStories(SEED, 1).length).toBeLessThanOrEqual(1);
  });
});

describe("a story", () => {
  test("says when, what, why and what the person saw", () => {
    const story = storyOfFirst("cannotUpdate");
    expect(story).toMatch(
      /^12:00:00 {2}The organisation's rules changed \(catalogue version 2\) → being remediated \(cause: osVersion; expected .+ or newer, is .+\)\.$/m,
    );
    expect(story).toMatch(
      /^ {10}The person sees: “Access is blocked until you update the operating system: it is .+, but must be .+\.”$/m,
    );
    expect(story).toMatch(/The remediation attempt came to NOT_COMPLIANT → signed out \(.*reason: remediationFailed\)/);
  });

  test("counts ordinary comings and goings instead of telling each", () => {
    const story = storyOfFirst("ordinary");
    expect(story).toMatch(/\d+ visits to the app, \d+ unlocks/);
    expect(story.split("\n").length).toBeLessThan(25);
  });

  test("tells of what was not applied, and why", () => {
    const late = records.find(({ outcome }) => outcome === "stale");
    expect(late && storyOf(late.session).join("\n")).toMatch(
      /Entered the PIN, but the news comes late and is not applied: it is older than the last restricting event\./,
    );
  });

  test("ends with the decision in force", () => {
    for (const { session } of pickStories(SEED, DEVICES)) {
      const final = sessions.get(session) as Session;
      const story = storyOf(session);
      expect(story.at(-2)).toContain(`the decision is ${decisionOn(final).decision}`);
      expect(story.at(-1)).toContain(decisionOn(final).message.text);
    }
  });
});
