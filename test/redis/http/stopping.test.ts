/** What callers see of an API that is told to stop: answers to the end, and none of their requests cut. */
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { cloudEvent, startApi } from "../../support/api-server.js";

test("who keeps a connection is answered once more, and told that it ends", async () => {
  const api = await startApi();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const emit = async () =>
    new Promise<{ answer: IncomingMessage; body: string; isReused: boolean }>((resolve, reject) => {
      const sent = request(`${api.url}/v1/events`, {
        method: "POST",
        agent,
        headers: { authorization: `Bearer ${api.key}`, "content-type": "application/json" },
      });
      sent.on("error", reject);
      sent.on("response", (answer) => {
        void text(answer).then((body) => resolve({ answer, body, isReused: sent.reusedSocket }), reject);
      });
      sent.end(JSON.stringify(cloudEvent("app.launched")));
    });
  const before = await emit();
  expect([before.answer.statusCode, before.answer.headers.connection]).toEqual([202, "keep-alive"]);
  const stopped = api.stop();
  const after = await emit();
  expect([after.answer.statusCode, after.answer.headers.connection, after.isReused]).toEqual([202, "close", true]);
  await stopped;
  await expect(emit()).rejects.toThrow("ECONNREFUSED");
});
