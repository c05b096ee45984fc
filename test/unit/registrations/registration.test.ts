/** Managed app registrations of Graph, read into the sessions they stand for. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_SETTINGS, TenantSettings } from "../../../machines/policy/settings.js";
import { acceptEvent } from "../../../src/ingest/accept.js";
import { registrationEvents } from "../../../src/registrations/registration-events.js";
import { type Registration, readRegistration } from "../../../src/registrations/registration.js";
import { unwrapped } from "../../../src/registrations/unwrap.js";

const GUID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0";
const GRAPH = {
  "@odata.type": "#microsoft.graph.iosManagedAppRegistration",
  id: "registration-1",
  userId: GUID,
  deviceTag: "phone-17",
  deviceName: "Adele's iPhone",
  deviceType: "iPhone",
  deviceModel: "iPhone15,2",
  deviceManufacturer: "Apple",
  platformVersion: "17.4.1",
  applicationVersion: "6.2.1",
  managementSdkVersion: "19.7.2",
  lastSyncDateTime: "2026-03-02T08:00:49.3205976Z",
  createdDateTime: "2026-01-02T08:00:00Z",
  flaggedReasons: ["none"],
  appIdentifier: { "@odata.type": "#microsoft.graph.iosMobileAppIdentifier", bundleId: "com.microsoft.Azure" },
};

const read = (changes: object = {}, apps = DEFAULT_SETTINGS.apps) => readRegistration({ ...GRAPH, ...changes }, apps);

function registration(changes: object = {}, apps = DEFAULT_SETTINGS.apps): Registration {
  const found = read(changes, apps);
  if (!("registration" in found)) throw new Error(JSON.stringify(found));
  return found.registration;
}

const android = (packageId: string) => ({
  "@odata.type": "#microsoft.graph.managedAppRegistration",
  appIdentifier: { "@odata.type": "#microsoft.graph.androidMobileAppIdentifier", packageId },
});

test("a registration is a session's user, device and app, and what the device said last", () => {
  expect(registration()).toEqual({
    device: "phone-17",
    user: GUID.toLowerCase(),
    app: "azure-mobile",
    platform: "ios",
    mdmEnrolled: false,
    posture: {
      osVersion: "17.4.1",
      appVersion: "6.2.1",
      sdkVersion: "19.7.2",
      model: "iPhone15,2",
      manufacturer: "Apple",
      rooted: false,
      deviceLock: "none",
    },
    time: "2026-03-02T08:00:49.320Z",
    replaced: [],
  });
});

describe("the app", () => {
  const apps = TenantSettings.parse({ apps: { outlook: { androidPackageId: "com.microsoft.office.outlook" } } }).apps;

  test("goes by the tenant's name for it, found without case", () => {
    expect(registration(android("COM.Microsoft.Office.Outlook"), apps).app).toBe("outlook");
  });

  test("that the tenant does not name goes by its identifier", () => {
    expect(registration(android("com.example.notes"), apps).app).toBe("com.example.notes");
  });
});

describe("the platform", () => {
  test.each([
    ["its own type", {}, "ios"],
    ["its app's identifier", android("com.microsoft.azure"), "android"],
    ["what the device calls itself", { "@odata.type": null, appIdentifier: { packageId: "x" } }, "android"],
  ])("is told by %s", (_what, changes, platform) => expect(registration(changes).platform).toBe(platform));

  test("that is neither is passed over, with the reason", () => {
    const windows = {
      "@odata.type": "#microsoft.graph.windowsManagedAppRegistration",
      appIdentifier: { "@odata.type": "#microsoft.graph.windowsAppIdentifier", windowsAppId: "x" },
    };
    expect(read(windows)).toEqual({ passedOver: expect.stringContaining("platform") });
  });
});

test.each([
  ["no user", { userId: null }, "userId"],
  ["no device", { deviceTag: "" }, "deviceTag"],
  ["no app", { appIdentifier: { "@odata.type": "#microsoft.graph.iosMobileAppIdentifier" } }, "appIdentifier"],
])("a registration that names %s is passed over", (_what, changes, word) => {
  expect(read(changes)).toEqual({ passedOver: expect.stringContaining(word) });
});

test("what can't be a name is replaced by one that is always the same, and said", () => {
  const odd = registration({ deviceTag: "Device Tag value", userId: "User Id value" });
  expect(odd).toMatchObject({ device: expect.stringMatching(/^device-[0-9a-f]{16}$/) });
  expect(odd.replaced.map(({ property }) => property)).toEqual(["deviceTag", "userId"]);
  expect(registration({ deviceTag: "Device Tag value", userId: "User Id value" })).toEqual(odd);
  expect(registration({ deviceTag: "Another value" }).device).not.toBe(odd.device);
});

test("a flagged device is rooted, and an enrolled one is managed", () => {
  expect(registration({ flaggedReasons: ["rootedDevice"], managedDeviceId: GUID })).toMatchObject({
    posture: { rooted: true },
    mdmEnrolled: true,
  });
  expect(registration({ managedDeviceId: "00000000-0000-0000-0000-000000000000" }).mdmEnrolled).toBe(false);
});

test("a value of another shape is refused, saying where", () => {
  expect(read({ flaggedReasons: "rootedDevice" })).toMatchObject({ path: ["flaggedReasons"] });
  expect(readRegistration(7, DEFAULT_SETTINGS.apps)).toMatchObject({ path: [], message: expect.any(String) });
});

test("its events are taken in as they are, begin with the sign-in, and have the same ids every time", () => {
  const events = registrationEvents(registration());
  expect(events.map((event) => (event as { type: string }).type)).toEqual([
    "account.signedIn",
    "posture.reported",
    "enrollment.completed",
  ]);
  for (const event of events) expect(acceptEvent(event, "contoso")).toHaveProperty("events");
  expect(registrationEvents(registration())).toEqual(events);
  const later = registrationEvents(registration({ lastSyncDateTime: "2026-03-03T08:00:00Z" }));
  expect(later).not.toEqual(events);
});

describe("an export", () => {
  async function textOf(...pieces: readonly (string | Buffer)[]): Promise<string> {
    const source = async function* () {
      for (const piece of pieces) yield Buffer.from(piece as string);
    };
    let text = "";
    for await (const piece of unwrapped(source())) text += Buffer.from(piece).toString();
    return text;
  }
  const one = { id: "a", value: 1 };
  const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

  test.each([
    ["one object", pretty({ id: "a" }), [{ id: "a" }]],
    ["a list", pretty([one, one]), [one, one]],
    ["one object in a value", pretty({ value: { id: "a" } }), [{ id: "a" }]],
    ["a list in a value", pretty({ "@odata.context": "x", "@odata.count": 2, value: [one], more: 1 }), [one]],
    ["UTF-8 with a mark", `\uFEFF${pretty([one])}`, [one]],
  ])("may be %s", async (_what, text, list) => expect(JSON.parse(await textOf(text))).toEqual(list));

  test("may be UTF-16, either way round, cut anywhere", async () => {
    const little = Buffer.from(`\uFEFF${JSON.stringify([{ id: "é😀" }])}`, "utf16le");
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) {
      expect(JSON.parse(await textOf(bytes.subarray(0, 13), bytes.subarray(13)))).toEqual([{ id: "é😀" }]);
    }
  });

  test("that is NDJSON, or malformed, is left as it is for whoever names the lines", async () => {
    expect(await textOf('{"id":"a"}\n{"id":"b"}\n')).toBe('{"id":"a"}\n{"id":"b"}\n');
    expect(await textOf('{"id":')).toBe('{"id":');
  });

  test("of any size has its wrapper taken off without being held", async () => {
    const list = Array.from({ length: 30_000 }, (_, n) => ({ id: `registration-${n}`, text: "x".repeat(50) }));
    const text = await textOf(
      `{"@odata.context": "a \\" b", "value" : ${JSON.stringify(list)}, "@odata.nextLink": "y"}`,
    );
    expect(text.startsWith('[{"id":"registration-0"')).toBe(true);
  });
});

const FIXTURES = new URL("../../../../shared/fixtures/graph/", import.meta.url);
const samples = existsSync(FIXTURES)
  ? readdirSync(FIXTURES).filter((name) => /AppRegistration(s\.list|\.get)/.test(name))
  : [];

test.skipIf(samples.length === 0)(
  "every sample of Graph's reference is read, or passed over with a reason",
  async () => {
    for (const name of samples) {
      const source = async function* () {
        yield readFileSync(new URL(name, FIXTURES));
      };
      let text = "";
      for await (const piece of unwrapped(source())) text += Buffer.from(piece).toString();
      for (const sample of JSON.parse(text) as unknown[]) {
        const found = readRegistration(sample, DEFAULT_SETTINGS.apps);
        if ("registration" in found) {
          for (const event of registrationEvents(found.registration))
            expect(acceptEvent(event, "contoso")).toHaveProperty("events");
        } else expect(found).toHaveProperty("passedOver");
      }
    }
  },
);
