/** S13: who opens a stream and does not read it is cut off, so that it holds no place and no memory. */
import { once } from "node:events";
import { connect } from "node:net";
import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { cloudEvent, startApi } from "../../support/api-server.js";

const SUBJECT = "phone-1/adele";
const BATCH = 500;
/** A piece of a stream ends anywhere. */
const LONGEST = 1_000;

test("S13: a stream that nobody reads ends, and one that is read goes on", { timeout: 60_000 }, async () => {
  let isCut = false;
  const log = pino(
    { level: "warn" },
    new Writable({
      write: (line, _, done) => {
        isCut ||= String(line).includes("leaves unread");
        done();
      },
    }),
  );
  const limits = { eventsPerDevice: 1_000_000, eventsPerTenant: 1_000_000 };
  const api = await startApi({ worker: true, log, limits, slowReaderMs: 300 });
  onTestFinished(async () => api.stop());

  const { hostname, port } = new URL(api.url);
  const open = async () => {
    const socket = connect(Number(port), hostname);
    const head = ["GET /v1/stream?all=true HTTP/1.1", `host: ${hostname}`, `authorization: Bearer ${api.key}`];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    onTestFinished(() => void socket.destroy());
    for (let text = ""; !text.includes(": follows");) text += String((await once(socket, "data"))[0]);
    return socket;
  };
  const unread = await open();
  unread.pause();
  const read = await open();
  let heard = "";
  read.on("data", (bytes) => (heard = heard.slice(-LONGEST) + String(bytes)));

  await api.ask("/v1/events", {
    body: cloudEvent("account.signedIn", { platform: "ios", interactive: true }, { subject: SUBJECT }),
  });
  while (!isCut) {
    const body = Array.from({ length: BATCH }, () => cloudEvent("app.backgrounded", {}, { subject: SUBJECT }));
    expect((await api.ask("/v1/events", { body })).status).toBe(202);
  }
  unread.on("error", () => undefined);
  const ended = once(unread, "close");
  unread.resume();
  await ended;

  expect(read.destroyed).toBe(false);
  await api.ask("/v1/events", { body: cloudEvent("account.signedOut", { initiator: "user" }, { subject: SUBJECT }) });
  await expect.poll(() => heard, { timeout: 30_000 }).toContain("account.signedOut");
});
