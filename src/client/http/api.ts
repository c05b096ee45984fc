/** One request to the API and its answer, within a time and a size. Whatever comes back is checked by whoever asked. */

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

  constructor({ url, key }: HttpAccess) {
    this.#url = url;
    this.#authorization = `Bearer ${key}`;
  }

  /** Never rejects. */
  async call({ method, path, body, timeoutMs }: ApiRequest): Promise<ApiAnswer> {
    try {
      const response = await fetch(new URL(path, this.#url), {
        method,
        headers: {
          authorization: this.#authorization,
          accept: "application/json, application/problem+json",
          ...(body && { "content-type": body.mediaType }),
        },
        ...(body && { body: body.text }),
        // The key is for this server alone.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const retryAfterMs = readRetryAfter(response.headers.get("retry-after"));
      return {
        kind: "answer",
        status: response.status,
        body: parsed(await readText(response)),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      };
    } catch (error) {
      return { kind: "none", error, mayHaveArrived: !wasNeverSent(error) };
    }
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError("the answer is longer than any of Gatehouse's");
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** No connection came about. */
const NO_CONNECTION = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

function wasNeverSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && NO_CONNECTION.has(code);
}
