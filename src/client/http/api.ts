/**
 * One request to the API and its answer, within a time and a size. Whatever comes back is checked by whoever asked.
 * Node's own http, because `fetch` costs several times as much, which whoever emits and the API beside it would pay.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { HttpAccess } from "./options.js";

/** An answer is never longer than this many bytes, unless something else than the API answers. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface ApiRequest {
  readonly method: "GET" | "POST";
  /** Below the API's address, without a slash at the beginning. */
  readonly path: string;
  readonly body?: { readonly text: string; readonly mediaType: string };
  readonly timeoutMs: number;
}

export type ApiAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Parsed from JSON; `undefined` if it was none. */
      readonly body: unknown;
      /** As the server wished; absent: it said nothing. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly kind: "none";
      readonly error: unknown;
      /** Whether the server may have had the request. */
      readonly mayHaveArrived: boolean;
    };

export class Api {
  readonly #url: URL;
  readonly #authorization: string;
  readonly #request: typeof http.request;
  /** Connections that are idle keep no process alive. */
  readonly #agent: http.Agent;

  constructor({ url, key }: HttpAccess) {
    this.#url = url;
    this.#authorization = `Bearer ${key}`;
    const { request, Agent } = url.protocol === "https:" ? https : http;
    this.#request = request;
    this.#agent = new Agent({ keepAlive: true });
  }

  /** Never rejects. */
  async call(request: ApiRequest): Promise<ApiAnswer> {
    const { timeoutMs } = request;
    const begun = this.#begin(request);
    const late = setTimeout(() => begun.destroy(new Error("it took too long")), timeoutMs);
    try {
      const response = await responseTo(begun, request.body?.text);
      const text = await readText(response);
      const retryAfterMs = readRetryAfter(response.headers["retry-after"]);
      return {
        kind: "answer",
        status: response.statusCode as number,
        body: parsed(text),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      };
    } catch (error) {
      begun.destroy();
      return { kind: "none", error, mayHaveArrived: !wasNeverSent(error) };
    } finally {
      clearTimeout(late);
    }
  }

  #begin({ method, path, body }: ApiRequest): http.ClientRequest {
    return this.#request(new URL(path, this.#url), {
      method,
      agent: this.#agent,
      headers: {
        authorization: this.#authorization,
        accept: "application/json, application/problem+json",
        ...(body && { "content-type": body.mediaType, "content-length": Buffer.byteLength(body.text) }),
      },
    });
  }
}

async function responseTo(request: http.ClientRequest, body: string | undefined): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // Also of what breaks off later, which whoever reads the response hears of as well.
    request.on("error", reject);
    request.end(body);
  });
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError("the answer is longer than any of Gatehouse's");
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** No connection came about. */
const NO_CONNECTION = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT"]);

function wasNeverSent(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  // Where a name has several addresses, and none takes a connection, the error is one for all.
  const isOfConnecting = error instanceof AggregateError || syscall === "connect" || syscall === "getaddrinfo";
  return isOfConnecting && code !== undefined && NO_CONNECTION.has(code);
}
