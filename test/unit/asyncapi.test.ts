/** The AsyncAPI document: valid by its own parser, whole, and true of what really comes and goes. */
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { EFFECTS } from "../../machines/effects/catalogue.js";
import { OUTSIDE_EVENT_TYPES } from "../../machines/events/catalogue.js";
import { asyncApiDocument } from "../../src/asyncapi/document.js";
import { toCloudEvent } from "../../src/webhooks/cloud-event.js";

type Parsed = NonNullable<Awaited<ReturnType<Parser["parse"]>>["document"]>;
const WARNING = 1;

let parsed: Parsed;
let problems: string[];

beforeAll(async () => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()));
  problems = diagnostics.filter(({ severity }) => severity <= WARNING).map(({ message }) => message);
  parsed = document as Parsed;
});

const namesOf = (operation: string): string[] =>
  parsed
    .operations()
    .get(operation)
    ?.messages()
    .all()
    .map((message) => message.name() ?? "") ?? [];

/** What the document takes as the payload of a message, its references resolved. */
function payloadOf(name: string): z.ZodType {
  const message = parsed
    .allMessages()
    .all()
    .find((one) => one.name() === name);
  return z.fromJSONSchema(message?.payload()?.json() as Parameters<typeof z.fromJSONSchema>[0]);
}

test("the reference parser finds nothing wrong", () => {
  expect(problems).toEqual([]);
  expect(parsed.version()).toBe("3.0.0");
});

test("every event that may be reported is received, and every effect is sent", () => {
  expect(namesOf("takeEvents")).toEqual(OUTSIDE_EVENT_TYPES);
  expect(namesOf("sendEffects")).toEqual(Object.keys(EFFECTS).map((type) => `gatehouse.effect.${type}`));
});

test("a day of events is as the document says", () => {
  const stream = readFileSync(new URL("../../samples/streams/first-day.ndjson", import.meta.url), "utf8");
  const events = stream
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  expect(events.length).toBeGreaterThan(5);
  for (const event of events) expect(payloadOf(event.type).safeParse(event)).toMatchObject({ success: true });
});

test.each([
  ["a field that there is not", { data: { platform: "ios", pin: "1234" } }],
  ["data of another type", { data: { platform: "symbian" } }],
  ["a subject that names no device", { subject: "adele" }],
  ["another version of the specification", { specversion: "0.3" }],
])("the document refuses %s", (_, change) => {
  const event = {
    specversion: "1.0",
    id: "1",
    source: "app://ios",
    type: "account.signedIn",
    subject: "phone-1/adele",
    time: "2026-03-02T08:00:00Z",
    data: { platform: "ios" },
  };
  const payload = payloadOf("account.signedIn");
  expect(payload.safeParse(event).success).toBe(true);
  expect(payload.safeParse({ ...event, ...change }).success).toBe(false);
});

test("a user alone is the subject of an event about users", () => {
  const event = {
    specversion: "1.0",
    id: "1",
    source: "https://directory.contoso.example",
    type: "account.disabled",
    subject: "adele",
    time: "2026-03-02T08:00:00Z",
  };
  expect(payloadOf("account.disabled").safeParse(event)).toMatchObject({ success: true });
});

test("what a webhook carries is as the document says", () => {
  const effect = toCloudEvent({
    id: "3-17-0-0a1b2c3d",
    session: "contoso/phone-1/adele/azure-mobile",
    revision: 4,
    at: Date.parse("2026-03-02T08:00:00Z"),
    kind: "state",
    type: "promptPin",
    data: { biometricAllowed: true, triesLeft: 5 },
  });
  const payload = payloadOf(effect.type);
  expect(payload.safeParse(effect)).toMatchObject({ success: true });
  expect(payload.safeParse({ ...effect, kind: "command" }).success).toBe(false);
});

test("what Gatehouse sets itself is not asked of anybody", () => {
  expect(JSON.stringify(asyncApiDocument())).not.toContain('"role"');
});
