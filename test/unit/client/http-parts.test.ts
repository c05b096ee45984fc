/** The parts of the HTTP client that need no network. */
import { expect, test } from "vitest";
import { denyWithout } from "../../../machines/decision.js";
import { OUTSIDE_EVENT_TYPES, EVENTS } from "../../../machines/events/catalogue.js";
import { denyUnanswered } from "../../../src/client/http/answered-decision.js";
import { lanesOf } from "../../../src/client/http/lanes.js";
import { readOptions } from "../../../src/client/http/options.js";
import { retryDelayMs } from "../../../src/client/http/retry-delay.js";

const GUID = "5BC789CB-89CB-5BC7-CB89-C75BCB89C75B";

test("events of one device share a lane, however the device is written", () => {
  const one = lanesOf({ type: "pin.verified", subject: `${GUID}/adele` });
  expect(one).toEqual(lanesOf({ type: "app.opened", subject: `${GUID.toLowerCase()}/megan/another-app` }));
  expect(one).not.toEqual(lanesOf({ type: "pin.verified", subject: "phone-2/adele" }));
});

test("what is told of a user shares a lane, wherever it was told", () => {
  const alone = lanesOf({ type: "account.disabled", subject: "adele" });
  expect(lanesOf({ type: "account.enabled", subject: "phone-1/adele" })).toEqual(expect.arrayContaining([...alone]));
});

test("the events that are about users are those that the catalogue says are", () => {
  for (const type of OUTSIDE_EVENT_TYPES) {
    expect(lanesOf({ type, subject: "phone-1/adele" })).toHaveLength(EVENTS.get(type)?.scope === "user" ? 2 : 1);
  }
});

test.each([undefined, 7, null, "a/b/c/d", ""])("a subject of %j is in some lane: the API refuses it", (subject) => {
  expect(lanesOf({ type: "pin.verified", subject })).toHaveLength(1);
});

test("pauses grow, are never the same for everybody, and never shorter than the server asks", () => {
  const pauses = (random: number) => [1, 2, 3, 4, 20].map((failures) => retryDelayMs(failures, 0, () => random));
  expect(pauses(0)).toEqual([50, 100, 200, 400, 2_500]);
  expect(pauses(1)).toEqual([100, 200, 400, 800, 5_000]);
  expect(retryDelayMs(1, 3_000, () => 0)).toBe(3_000);
  expect(retryDelayMs(1, 3_000, () => 1)).toBe(3_600);
});

test("without an answer the decision is the one without a store, but for what only the server knows", () => {
  const direct = denyWithout("contoso/phone-1/adele/azure-mobile", "store.unavailable", 0);
  expect(denyUnanswered({ device: "phone-1", user: "adele" })).toEqual({
    ...direct,
    session: "phone-1/adele/azure-mobile",
  });
});

const KEY = "gh_0011223344556677_abcdefghijklmnopqrstuvwxyz";

test.each<[string, object]>([
  ["an address of something else", { url: "redis://127.0.0.1" }],
  ["no address", { url: "gatehouse" }],
  ["a password in the address", { url: "https://me:secret@gatehouse.example" }],
  ["something that is no key", { key: "Bearer gh_x" }],
  ["an empty key", { key: "" }],
  ["no request at all", { maxRequests: 0 }],
  ["half an event", { batchEvents: 1.5 }],
  ["more events in a request than the API takes", { batchEvents: 501 }],
  ["another overflow", { overflow: "drop" }],
])("refused at once, without the key being told: %s", (_, change) => {
  const make = () => readOptions({ url: "https://gatehouse.example", key: KEY, ...change });
  expect(make).toThrow(RangeError);
  expect(make).not.toThrow(/abcdefgh|secret/);
});

test("an API below a path keeps its path", () => {
  const { access } = readOptions({ url: "https://contoso.example/gatehouse", key: KEY });
  expect(new URL("v1/events", access.url).href).toBe("https://contoso.example/gatehouse/v1/events");
});
