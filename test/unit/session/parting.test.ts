/** A session that ends takes its data along: nobody asked for a wipe, and it never stands in the way of the next sign-in. */
import { describe, expect, test } from "vitest";
import { checkedIn, signedIn, signedOut, wipeCompleted, wipeFailed } from "../../../src/testing/index.js";
import { activeSession, PLAIN, UNCOVERED } from "../../support/builders.js";

const parted = () => activeSession(PLAIN).when(signedOut());
const requestIdOf = (scenario: ReturnType<typeof parted>): string => {
  const wipe = scenario.effects.find(({ type }) => type === "wipe");
  if (wipe?.type !== "wipe") throw new Error("no wipe was given");
  return wipe.data.requestId;
};

describe("signing out of a managed account", () => {
  test("removes its data", () => {
    parted().leadsTo("signedOut", "unregister", "wipe", "signOut");
  });

  test("says so once the app has done it", () => {
    const ended = parted();
    ended.when(wipeCompleted({ requestId: requestIdOf(ended) })).leadsTo("signedOut", "notify(wiped)");
  });

  test("asks for it again at the next contact if the app could not", () => {
    const ended = parted();
    const failed = ended.when(wipeFailed({ requestId: requestIdOf(ended) }));
    failed.when(checkedIn()).leadsTo("signedOut", "wipe");
  });

  test("leaves the next sign-in free, whether or not the app ever reported", () => {
    parted().when(signedIn()).leadsTo("unenrolled.checking", "enroll");
  });

  test("gives way to a wipe that the service asks for, which does forbid the next sign-in", () => {
    const asked = parted().when(checkedIn({ wipePending: true }));
    asked.leadsTo("signedOut", "wipe").when(signedIn()).leadsTo("signedOut", "wipe", "notify(wiped)");
  });

  test("removes nothing of an account that no policy bound", () => {
    const ended = activeSession(UNCOVERED).when(signedOut());
    expect(ended.effects.map(({ type }) => type)).not.toContain("wipe");
  });
});
