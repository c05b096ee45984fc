/** One attempt: a signed request to an endpoint, and what came of it. It never throws. */
import { type ClientRequest, type IncomingMessage, Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Webhook } from "standardwebhooks";
import { GatehouseError } from "../errors.js";
import type { EffectMessage } from "../store/partition-view.js";
import { CLOUD_EVENT_MEDIA_TYPE, toCloudEvent } from "./cloud-event.js";
import type { Targets } from "./target.js";

/** For all of it: resolving, connecting, sending, and the answer. */
export const ATTEMPT_TIMEOUT_MS = 10_000;
/** Of an answer's body nobody needs more. */
const ANSWER_BYTES = 4_096;
/** Connections that nobody used for so long are closed. */
const IDLE_CONNECTION_MS = 30_000;

export interface SendRequest {
  readonly url: string;
  readonly effect: EffectMessage;
  /** Readable ones, newest first: each makes a signature. */
  readonly secrets: readonly string[];
  readonly timeoutMs?: number;
  /** Of this attempt, for the receiver's own spans. */
  readonly traceparent?: string | undefined;
}

export interface Answer {
  readonly at: number;
  readonly durationMs: number;
  /** Absent: no answer came. */
  readonly status?: number;
  readonly retryAfter?: string;
  /** The beginning of the answer's body, for somebody who tries an endpoint out. */
  readonly body?: string;
  /** Why it does not count as delivered, in words; absent: it does. */
  readonly why?: string;
}

/** Signed headers and body: `webhook-id`, `webhook-timestamp`, and a `webhook-signature` for each secret. */
export function signed(effect: EffectMessage, secrets: readonly string[], now: Date) {
  const body = JSON.stringify(toCloudEvent(effect));
  return {
    body,
    headers: {
      "content-type": CLOUD_EVENT_MEDIA_TYPE,
      "webhook-id": effect.id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(effect.id, now, body)).join(" "),
    },
  };
}

export class Sender {
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();

  constructor(private readonly targets: Targets) {}

  async send({
    url: text,
    effect,
    secrets,
    timeoutMs = ATTEMPT_TIMEOUT_MS,
    traceparent,
  }: SendRequest): Promise<Answer> {
    const at = Date.now();
    const begun = performance.now();
    const durationMs = (): number => Math.round(performance.now() - begun);
    try {
      const url = this.targets.parse(text);
      const { body, headers: own } = signed(effect, secrets, new Date(at));
      const headers = { ...own, ...(traceparent !== undefined && { traceparent }) };
      const answer = await this.#exchange(url, body, headers, timeoutMs).catch((error: unknown) => {
        // The receiver closed a connection that was kept, at the moment it was used again: it never saw the request.
        if (!(error instanceof StaleConnectionError)) throw error;
        return this.#exchange(url, body, headers, timeoutMs);
      });
      const why = whyNotDelivered(answer.status);
      return { at, durationMs: durationMs(), ...answer, ...(why !== undefined && { why }) };
    } catch (error) {
      return { at, durationMs: durationMs(), why: inWords(error, timeoutMs) };
    }
  }

  /** Closes the connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #exchange(
    url: URL,
    body: string,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<{ status: number; retryAfter?: string; body: string }> {
    return new Promise((resolve, reject) => {
      const isHttps = url.protocol === "https:";
      const sent: ClientRequest = (isHttps ? httpsRequest : httpRequest)(url, {
        method: "POST",
        agent: this.#agentFor(url),
        lookup: this.targets.lookupFor(url),
        headers: { ...headers, "content-length": Buffer.byteLength(body), "user-agent": "Gatehouse-Webhooks/1" },
      });
      const timer = setTimeout(() => sent.destroy(new TimeoutError()), timeoutMs);
      sent.on("error", (error) => {
        clearTimeout(timer);
        const isStale = sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
        reject(isStale ? new StaleConnectionError() : error);
      });
      sent.on("response", (answer) => {
        const retryAfter = answer.headers["retry-after"];
        const given = { status: answer.statusCode ?? 0, ...(retryAfter !== undefined && { retryAfter }) };
        // What was answered counts, even if its body never ends.
        readBeginning(answer, (beginning) => {
          clearTimeout(timer);
          resolve({ ...given, body: beginning });
        });
      });
      sent.end(body);
    });
  }

  /** Kept open, because an endpoint that has caught up with an hour takes hundreds of requests a second. */
  #agentFor(url: URL): HttpAgent | HttpsAgent {
    let agent = this.#agents.get(url.origin);
    if (agent === undefined) {
      agent = new (url.protocol === "https:" ? HttpsAgent : HttpAgent)({
        keepAlive: true,
        timeout: IDLE_CONNECTION_MS,
        scheduling: "lifo",
      });
      this.#agents.set(url.origin, agent);
    }
    return agent;
  }
}

class TimeoutError extends Error {}

class StaleConnectionError extends Error {
  readonly code = "ECONNRESET";
}

/** Calls back once: when the body ends, is cut off, or has given as much as is wanted. */
function readBeginning(answer: IncomingMessage, done: (text: string) => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    answer.removeAllListeners("data");
    done(Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString("utf8"));
  };
  answer.on("data", (part: Buffer) => {
    parts.push(part);
    bytes += part.length;
    if (bytes > ANSWER_BYTES) answer.destroy();
  });
  answer.on("error", () => undefined);
  answer.once("close", finish);
}

function whyNotDelivered(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400) return `answered ${status}; redirects are not followed`;
  return `answered ${status}`;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EHOSTUNREACH: "the host can't be reached",
  ENETUNREACH: "the network can't be reached",
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name could not be looked up",
  ETIMEDOUT: "no connection in time",
};

/** Never what was sent, nor what TLS or the network say of it beyond their code. */
function inWords(error: unknown, timeoutMs: number): string {
  if (error instanceof TimeoutError) return `no answer within ${timeoutMs / 1_000} s`;
  if (error instanceof GatehouseError) return error.message;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return "the request failed";
  return WORDS[code] ?? `the request failed (${code})`;
}
