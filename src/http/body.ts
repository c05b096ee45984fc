/** Reads a request's body within limits of size and time. */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { HttpProblem } from "./problem.js";
import { parseStrictJson } from "./strict-json.js";

/** A body of which nothing comes for this long is given up. */
const IDLE_MS = 10_000;

export const MAX_BODY_BYTES = 1024 * 1024;

/** Policies come as whole exports. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** @throws HttpProblem if the body is encoded: how large one is would be known too late */
export function refuseEncoding(context: Context): void {
  const encoding = context.req.header("content-encoding");
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw new HttpProblem("request.encoding", "The body has a Content-Encoding.", { fix: "Send it as it is." });
}

/** Without parameters, in lower case; empty if there is none. */
export const mediaType = (context: Context): string =>
  (context.req.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/**
 * The body piece by piece.
 * @throws HttpProblem if the next piece is too long in coming
 */
export async function* readPieces(context: Context): AsyncGenerator<Uint8Array, undefined> {
  refuseEncoding(context);
  const pieces = piecesOf(context);
  if (pieces === undefined) return;
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new HttpProblem("request.too_slow", `Nothing of the body came for ${IDLE_MS / 1_000} s.`, {
              fix: "Send it again; a batch of events that were accepted before does no harm.",
              headers: { connection: "close" },
            }),
          ),
        IDLE_MS,
      );
    });
    // A connection that is cut in the middle is nobody's to answer.
    const piece = await Promise.race([pieces.next(), late]).finally(() => clearTimeout(timer));
    if (piece.done === true) return;
    yield piece.value;
  }
}

/** From the connection itself where there is one: the Web's streams around it cost more than reading does. */
function piecesOf(context: Context): AsyncIterator<Uint8Array> | undefined {
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>;
  return (incoming ?? context.req.raw.body)?.[Symbol.asyncIterator]();
}

/** @throws HttpProblem */
export async function readBytes(context: Context, maxBytes = MAX_BODY_BYTES): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  if (Number(context.req.header("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  for await (const piece of readPieces(context)) {
    size += piece.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

const tooLarge = (maxBytes: number): HttpProblem =>
  new HttpProblem("request.too_large", `The body is larger than ${maxBytes / 1024} KiB.`, {
    fix: "Send less at a time; events of any number as application/x-ndjson.",
    headers: { connection: "close" },
  });

/** @throws HttpProblem */
export async function readJson(context: Context, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const type = mediaType(context);
  if (type !== "application/json") {
    throw new HttpProblem("request.media_type", "The body is not said to be JSON.", {
      fix: "Send it with Content-Type: application/json.",
    });
  }
  return parseStrictJson(await readBytes(context, maxBytes));
}
