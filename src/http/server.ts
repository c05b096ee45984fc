/** The API as a server on a port: limits on slow clients, and an end that finishes what is under way. */
import { getRequestListener } from "@hono/node-server";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { type Server, createServer } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type Address, listen } from "../listen.js";
import type { Api } from "./api.js";
import { HttpProblem, toProblem } from "./problem.js";

const HEADERS_TIMEOUT_MS = 10_000;
/** A stream of events may take its time; each of its pieces may not. */
const REQUEST_TIMEOUT_MS = 0;
const KEEP_ALIVE_MS = 65_000;
const IDLE_LOOK_MS = 20;
/**
 * For so long a server that is told to stop goes on taking requests, if anybody is connected: whoever keeps a connection learns from
 * an answer that it ends, and sends nothing into one that is being closed.
 */
const FAREWELL_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;

export interface RunningServer {
  /** `http://127.0.0.1:8710`. */
  readonly url: string;
  /** Takes no more requests after a moment, and resolves when those under way are answered, or cut after the time. */
  stop(deadlineMs: number): Promise<void>;
}

/** @throws ListenError */
export async function startServer({ app }: Api, address: Address): Promise<RunningServer> {
  // In this process it puts a Response of its own in the place of Node's: an answer that is text needs no stream then.
  const listener = getRequestListener(app.fetch);
  const server: Server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.on("clientError", answerUnreadable);
  const what = { name: "the API", hostSetting: "GATEHOUSE_HOST", portSetting: "GATEHOUSE_PORT" };
  const url = await listen(server, address, what);
  return {
    url,
    stop: async (deadlineMs) => {
      const closed = once(server, "close");
      const late = setTimeout(() => server.closeAllConnections(), deadlineMs);
      const farewell = performance.now() + Math.min(FAREWELL_MS, deadlineMs / 2);
      while (performance.now() < farewell && (await connections(server)) > 0) await delay(IDLE_LOOK_MS);
      server.close();
      // A connection that is kept alive is idle once its answer ends, and closes by itself only much later.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
    },
  };
}

const connections = async (server: Server): Promise<number> => promisify(server.getConnections.bind(server))();

/** What never becomes a request is answered as other mistakes are, and the connection ends. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Cut off by the other side, or half an answer is out already.
  if (!socket.writable || error.code === "ECONNRESET" || hasBegunToAnswer(socket)) {
    socket.destroy(error);
    return;
  }
  const requestId = randomUUID();
  const { problem } = toProblem(unreadable(error.code), requestId);
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      "cache-control: no-store",
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

/** Node's server keeps the answer that is under way on the socket. */
const hasBegunToAnswer = (socket: Duplex): boolean =>
  (socket as { readonly _httpMessage?: { readonly headersSent: boolean } | null })._httpMessage?.headersSent === true;

function unreadable(code: string | undefined): HttpProblem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new HttpProblem(
        "request.headers_too_large",
        `The address and the headers are larger than ${MAX_HEADER_BYTES / 1024} KiB.`,
        {
          fix: "Send fewer and shorter headers, and filters that are shorter.",
        },
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpProblem("request.too_slow", `The headers did not come within ${HEADERS_TIMEOUT_MS / 1_000} s.`, {
        fix: "Send the request again.",
      });
    default:
      return new HttpProblem("request.invalid", "This is no HTTP request.", { fix: "Send HTTP/1.1." });
  }
}
