/** What the person is told, in the tenant's own words and the person's language. */
import { describe, expect, test } from "vitest";
import { decide } from "../../../machines/decision.js";
import { MESSAGES, messageText, textsFor } from "../../../machines/effects/messages.js";
import { lockedSession } from "../../support/builders.js";

const MESSAGES_BY_LANGUAGE = {
  de: { pinEnter: "Geben Sie Ihre PIN ein.", wiped: "Die Daten Ihrer Organisation wurden entfernt." },
  "de-AT": { pinEnter: "Bitte PIN eingeben." },
};

describe("a tenant's texts", () => {
  test("stand in for the built-in ones, message by message", () => {
    const texts = textsFor(MESSAGES_BY_LANGUAGE, "de");
    expect(messageText("pinEnter", {}, texts)).toBe("Geben Sie Ihre PIN ein.");
    expect(messageText("tryLater", {}, texts)).toBe(MESSAGES.tryLater);
  });

  test("of a region are laid over those of its language, whatever the case of the tag", () => {
    const texts = textsFor(MESSAGES_BY_LANGUAGE, "DE-at");
    expect(texts.pinEnter).toBe("Bitte PIN eingeben.");
    expect(texts.wiped).toBe("Die Daten Ihrer Organisation wurden entfernt.");
  });

  test("of another language change nothing, and neither does no language at all", () => {
    expect(textsFor(MESSAGES_BY_LANGUAGE, "fr")).toEqual({});
    expect(textsFor(MESSAGES_BY_LANGUAGE, undefined)).toEqual({});
  });

  test("have their placeholders filled like the built-in ones", () => {
    const texts = { pinWrong: "Falsch. Noch {triesLeft} Versuche." };
    expect(messageText("pinWrong", { triesLeft: 2 }, texts)).toBe("Falsch. Noch 2 Versuche.");
  });

  test("are what a decision says", () => {
    const { session, rules, now } = lockedSession();
    expect(decide(session, rules, now, textsFor(MESSAGES_BY_LANGUAGE, "de")).message).toEqual({
      key: "pinEnter",
      text: "Geben Sie Ihre PIN ein.",
    });
  });
});
