/** Secrets at rest. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { newSecret, seal, unseal } from "../../../src/webhooks/sealed-secret.js";

const key = randomBytes(32);

test("a secret comes back with its key and endpoint, and is sealed otherwise each time", () => {
  const secret = newSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const sealed = seal(secret, "wh_1", key);
  expect(unseal(sealed, "wh_1", key)).toBe(secret);
  expect(sealed).not.toBe(seal(secret, "wh_1", key));
  expect(Buffer.from(sealed.split(".")[2]!, "base64url").toString()).not.toContain("whsec");
});

test.each([
  ["another key", (sealed: string) => unseal(sealed, "wh_1", randomBytes(32))],
  ["another endpoint", (sealed: string) => unseal(sealed, "wh_2", key)],
  ["a changed text", (sealed: string) => unseal(`${sealed.slice(0, -2)}AA`, "wh_1", key)],
  ["a part of it", (sealed: string) => unseal(sealed.split(".").slice(0, 2).join("."), "wh_1", key)],
  ["a short tag", (sealed: string) => unseal(sealed.replace(/\.[^.]+\./, ".AAAA."), "wh_1", key)],
])("with %s it does not, and the error says nothing of it", (_, open) => {
  const secret = newSecret();
  const sealed = seal(secret, "wh_1", key);
  expect(() => open(sealed)).toThrow(expect.objectContaining({ code: "webhook.secret_unreadable" }));
  expect(() => open(sealed)).not.toThrow(new RegExp(secret.slice(6, 20).replaceAll(/[+/]/g, ".")));
});
