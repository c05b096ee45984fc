import { describe, expect, test } from "vitest";
import { OUTSIDE_EVENT_TYPES } from "../../../machines/events/catalogue.js";
import { acceptEvent } from "../../../src/ingest/accept.js";
import type { Refusal } from "../../../src/ingest/refusal.js";

const TENANT = "contoso";

const event = (changes: object = {}): Record<string, unknown> => ({
  specversion: "1.0",
  id: "1",
  source: "app://ios",
  type: "pin.verified",
  subject: "phone-1/adele",
  time: "2026-03-02T08:00:00Z",
  data: { method: "pin" },
  ...changes,
});

const accepted = (input: unknown) => {
  const acceptance = acceptEvent(input, TENANT);
  if (!("events" in acceptance)) throw new Error(`not for sessions: ${JSON.stringify(acceptance)}`);
  return acceptance.events;
};

const refused = (input: unknown): Refusal => {
  const acceptance = acceptEvent(input, TENANT);
  if (!("refusal" in acceptance)) throw new Error("accepted, but should have been refused");
  return acceptance.refusal;
};

describe("an event that is valid", () => {
  test("is addressed to the session that its subject names, in the caller's tenant", () => {
    expect(accepted(event())).toEqual([
      {
        session: "contoso/phone-1/adele/azure-mobile",
        device: "phone-1",
        event: { type: "pin.verified", method: "pin" },
        source: "app://ios",
        id: "1",
        time: Date.parse("2026-03-02T08:00:00Z"),
      },
    ]);
  });

  test("may name the app", () => {
    expect(accepted(event({ subject: "phone-1/adele/outlook.mobile" }))[0]?.session).toBe(
      "contoso/phone-1/adele/outlook.mobile",
    );
  });

  test("names the same session whatever the case of its GUIDs", () => {
    const guid = "5BC789CB-89CB-5BC7-CB89-C75BCB89C75B";
    expect(accepted(event({ subject: `${guid}/${guid}` }))[0]?.session).toBe(
      `contoso/${guid.toLowerCase()}/${guid.toLowerCase()}/azure-mobile`,
    );
  });

  test("keeps the case of ids that are no GUIDs", () => {
    expect(accepted(event({ subject: "Phone-1/Adele.V" }))[0]?.session).toBe("contoso/Phone-1/Adele.V/azure-mobile");
  });

  test("needs no data where its type has none", () => {
    const { data: _, ...bare } = event({ type: "connectivity.lost" });
    expect(accepted(bare)[0]?.event).toEqual({ type: "connectivity.lost" });
  });
});

describe("an account switch", () => {
  const between = (data: object) => event({ type: "account.switched", subject: "phone-1/adele", data });

  test("is told to both accounts, each knowing its part", () => {
    const events = accepted(between({ fromAccountId: "adele", toAccountId: "bob" }));
    expect(events.map(({ session, event: { type }, id }) => [session, type, id])).toEqual([
      ["contoso/phone-1/adele/azure-mobile", "account.switched", "1#from"],
      ["contoso/phone-1/bob/azure-mobile", "account.switched", "1#to"],
    ]);
    expect(events.map(({ event: switched }) => "role" in switched && switched.role)).toEqual(["from", "to"]);
  });

  test("from no account is told to the one that is shown alone", () => {
    expect(accepted(between({ toAccountId: "bob" })).map(({ session }) => session)).toEqual([
      "contoso/phone-1/bob/azure-mobile",
    ]);
  });

  test("between no accounts is refused", () => {
    expect(refused(between({ reason: "explicit" }))).toMatchObject({ code: "event.invalid", path: "/data" });
  });

  test("can't choose its part", () => {
    expect(refused(between({ toAccountId: "bob", role: "from" }))).toMatchObject({ path: "/data/role" });
  });
});

describe("an event that can't be taken is refused, saying where and what would do", () => {
  test.each([
    ["not an object", [1], "event.not_an_object", ""],
    ["no object at all", null, "event.not_an_object", ""],
    ["a missing id", event({ id: undefined }), "event.invalid", "/id"],
    ["an empty id", event({ id: "" }), "event.invalid", "/id"],
    ["another version of CloudEvents", event({ specversion: "0.3" }), "event.invalid", "/specversion"],
    ["a subject that names no user", event({ subject: "phone-1" }), "event.invalid", "/subject"],
    ["a subject with a slash too many", event({ subject: "a/b/c/d" }), "event.invalid", "/subject"],
    ["a subject with a space", event({ subject: "phone 1/adele" }), "event.invalid", "/subject"],
    ["a time that is none", event({ time: "yesterday" }), "event.invalid", "/time"],
    ["an unknown field of the envelope", event({ colour: "red" }), "event.invalid", "/colour"],
    ["an unknown field of the data", event({ data: { method: "pin", extra: 1 } }), "event.invalid", "/data/extra"],
    ["a value of another shape", event({ data: { method: "voice" } }), "event.invalid", "/data/method"],
    ["data that is no object", event({ data: "pin" }), "event.invalid", "/data"],
    ["a type nobody knows", event({ type: "pin.verifed" }), "event.type_unknown", "/type"],
    ["a type of XState", event({ type: "xstate.after.60000.session" }), "event.type_reserved", "/type"],
    ["a done event", event({ type: "done.state.session" }), "event.type_reserved", "/type"],
    ["a deadline", event({ type: "offlineGrace.expired" }), "event.type_reserved", "/type"],
    ["rules that somebody else changed", event({ type: "policy.changed" }), "event.type_reserved", "/type"],
    ["a PIN", event({ data: { method: "pin", pin: "123456" } }), "event.secret_field", "/data/pin"],
    ["a password, however spelt", event({ data: { Pass_Word: "x" } }), "event.secret_field", "/data/Pass_Word"],
    ["a token anywhere", event({ extra: [{ access_token: "x" }] }), "event.secret_field", "/extra/0/access_token"],
    ["a prototype", JSON.parse('{"data":{"__proto__":{}}}'), "event.forbidden_key", "/data/__proto__"],
    ["a long string", event({ source: "x".repeat(513) }), "event.too_large", "/source"],
    [
      "a number beyond what can be held",
      event({ data: { failedAttempts: 2 ** 60 } }),
      "event.invalid",
      "/data/failedAttempts",
    ],
    ["another tenant", event({ tenant: "fabrikam" }), "tenant.mismatch", "/tenant"],
  ])("%s", (_what, input, code, path) => {
    const refusal = refused(input);
    expect(refusal).toMatchObject({ code, path });
    expect(refusal.fix).not.toBe("");
  });

  test("one that nests too deep", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20; level++) deep = { deep };
    expect(refused(event({ data: deep })).code).toBe("event.too_deep");
  });

  test("a type that is nearly right is guessed", () => {
    expect(refused(event({ type: "pin.verifed" })).fix).toMatch(/Did you mean pin\.verified\?/);
  });

  test("the types that would be taken are listed", () => {
    const { fix } = refused(event({ type: "nothing.like.it" }));
    for (const type of OUTSIDE_EVENT_TYPES) expect(fix).toContain(type);
  });

  test("no refusal repeats the value", () => {
    const canary = "canary-4711";
    for (const input of [
      event({ data: { method: canary } }),
      event({ data: { pin: canary } }),
      event({ type: canary }),
      event({ subject: canary }),
      event({ time: canary }),
      event({ tenant: canary }),
    ]) {
      expect(JSON.stringify(refused(input))).not.toContain(canary);
    }
  });
});
