/** Sign-outs and wipes over the API: nothing without `apply`, nobody but the caller's own, and recorded without a name. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
  for (const device of ["phone-1", "phone-2"]) {
    const subject = `${device}/adele`;
    await api.ask("/v1/events", { body: [cloudEvent("account.signedIn", { platform: "ios" }, { subject })] });
  }
});
afterAll(() => api.stop());

const reasons = async (device: string) =>
  (await api.ask(`/v1/decision?device=${device}&user=adele`)).body.reasons as string[];

test("without `apply` it says whom it concerns, and does nothing", async () => {
  const { status, body } = await api.ask("/v1/users/adele/wipe", { body: {} });
  expect([status, body.applied, body.sessions.length]).toEqual([200, false, 2]);
  expect(body.sessions[0]).toMatchObject({ to: "signedOut", effects: expect.arrayContaining(["wipe"]) });
  expect(await reasons("phone-1")).toEqual(["enrollment.checking"]);
});

test("with it access ends at once; again it passes by those that obeyed; and it can be called off", async () => {
  const wipe = { device: "phone-1", apply: true };
  const headers = { "x-gatehouse-reason": "Adele lost phone-1" };
  expect((await api.ask("/v1/users/adele/wipe", { body: wipe, headers })).body.results).toMatchObject([
    { status: "sent" },
  ]);
  expect(await reasons("phone-1")).toEqual(["signedOut.wipeRequested"]);
  expect(await reasons("phone-2")).toEqual(["enrollment.checking"]);
  expect((await api.ask("/v1/users/adele/wipe", { body: wipe })).body).toMatchObject({
    sessions: [{ passedBy: "wipe pending" }],
    results: [],
  });
  expect((await api.ask("/v1/users/adele/wipe-cancel", { body: { apply: true } })).body).toMatchObject({
    sessions: [{}, { passedBy: "no wipe" }],
    results: [{ status: "sent" }],
  });
  expect((await api.ask("/v1/users/adele/signout", { body: { apply: true, note: "left" } })).body).toMatchObject({
    sessions: [{ passedBy: "signed out" }, {}],
    results: [{ status: "sent" }],
  });
  const { body } = await api.ask("/v1/audit?user=adele");
  expect(body.acts.map(({ act }: { act: string }) => act)).toEqual([
    "signout",
    "wipe.cancel",
    "wipe.request",
    "wipe.request",
  ]);
  expect(body.acts.at(-1)).toMatchObject({ reason: "[…] lost […]", touched: { sessions: 1, sent: 1 } });
  expect(JSON.stringify(body)).not.toMatch(/adele|phone-1/i);
});

test.each(["signout", "wipe", "wipe-cancel"])(
  "%s of somebody who is not there is 404, as of another tenant",
  async (verb) => {
    const foreign = await api.newKey(undefined, { tenant: "fabrikam" });
    for (const [path, key] of [
      [`/v1/users/nobody/${verb}`, api.key],
      [`/v1/users/adele/${verb}`, foreign],
      [`/v1/users/a%20b/${verb}`, api.key],
    ] as const) {
      const { status, body } = await api.ask(path, { body: { apply: true }, key });
      expect([status, body.code]).toEqual([404, "user.unknown"]);
    }
  },
);
