/**
 * A small backend that protects its documents with Gatehouse. It passes on what its app reports, asks before it hands anything out, and
 * takes the webhooks that tell it what the app is to do. docs/clients.md runs it step by step.
 *
 *   GATEHOUSE_URL=http://127.0.0.1:8710 GATEHOUSE_KEY=gh_… WEBHOOK_SECRET=whsec_… npx tsx examples/backend/server.ts
 */
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type GatehouseEvent, createClient } from "gatehouse/client";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { type Effect, Orders } from "./orders.js";

const MAX_BODY_BYTES = 64 * 1024;

const gatehouse = createClient({ url: setting("GATEHOUSE_URL"), key: setting("GATEHOUSE_KEY") });
const webhook = new Webhook(setting("WEBHOOK_SECRET"));
const orders = new Orders();

/** A status, and what is said with it as JSON. */
type Answer = readonly [status: number, body: unknown];

const routes: Record<string, (request: IncomingMessage, query: URLSearchParams) => Promise<Answer>> = {
  /** The app says what happened on its device: `{ "type": "pin.verified", "data": { "method": "pin" } }`. */
  "POST /report": async (request, query) => {
    const { type, data } = JSON.parse(await bodyOf(request)) as Pick<GatehouseEvent, "type" | "data">;
    // Who it is comes from the app's own sign-in, never from what the app says. Here the query stands for that.
    const { device, user } = whoAsks(query);
    return emitted({ type, data, source: "app://documents", subject: `${device}/${user}` } as GatehouseEvent);
  },

  /** Somebody leaves the company. The event is about the user, so it reaches every session of theirs, on every device. */
  "POST /offboard": async (_, query) =>
    emitted({
      type: "account.disabled",
      source: "https://people.contoso.example",
      subject: query.get("user") ?? "",
    } as GatehouseEvent),

  /** The one question, asked each time: a decision is not to be kept. No answer is a deny, so there is nothing to catch. */
  "GET /documents": async (_, query) => {
    const { decision, reasons, message } = await gatehouse.decide(whoAsks(query));
    if (decision === "allow") return [200, { documents: ["The plan for next year", "Everybody's salaries"] }];
    return [403, { decision, reasons, tellThePerson: message.text }];
  },

  /** What Gatehouse wants done. An answer of 2xx says that it is kept here; anything else, and it comes again. */
  "POST /gatehouse": async (request) => {
    // The signature is over the bytes as they came: verify first, then read.
    const effect = webhook.verify(await bodyOf(request), request.headers as Record<string, string>) as Effect;
    return [200, { became: orders.take(effect) }];
  },

  /** The app asks what it is to show, and which commands it is to carry out. */
  "GET /orders": async (_, query) => {
    const { device, user } = whoAsks(query);
    return [200, orders.collect(`${device}/${user}/azure-mobile`)];
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://backend");
  const route = routes[`${request.method} ${url.pathname}`];
  const answered = route === undefined ? Promise.resolve([404, {}] as const) : route(request, url.searchParams);
  void answered.catch(refusal).then(([status, body]) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
});
server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`The backend listens on http://127.0.0.1:${(server.address() as AddressInfo).port}.`);
});

// Told to stop, it delivers what is still queued.
process.once("SIGTERM", () => {
  server.close(() => void gatehouse.close());
  server.closeIdleConnections();
});

/** Reports one event. The client makes an id, sends again what gets no answer, and shares requests among events of the same moment. */
async function emitted(event: Omit<GatehouseEvent, "specversion" | "time">): Promise<Answer> {
  const [result] = (
    await gatehouse.emit({ specversion: "1.0", time: new Date().toISOString(), ...event } as GatehouseEvent)
  ).results;
  if (result?.status === "refused") return [400, result.refusal];
  return [result?.status === "unknown" ? 503 : 202, { status: result?.status }];
}

function whoAsks(query: URLSearchParams): { device: string; user: string } {
  return { device: query.get("device") ?? "", user: query.get("user") ?? "" };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError("the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function refusal(error: unknown): Answer {
  if (error instanceof WebhookVerificationError) return [401, { error: "not signed by Gatehouse" }];
  if (error instanceof SyntaxError || error instanceof RangeError) return [400, { error: "the body can't be read" }];
  console.error(error);
  return [500, { error: "something is wrong here" }];
}

function setting(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== "") return value;
  console.error(`Set ${name}: see docs/clients.md.`);
  process.exit(2);
}
