/** The API as a server on a port: limits on slow clients, and an end that finishes what is under way. */
import { getRequestListener } from "@hono/node-server";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { type Address, listen } from "../listen.js";
import type { Api } from "./api.js";

const HEADERS_TIMEOUT_MS = 10_000;
/** A stream of events may take its time; each of its pieces may not. */
const REQUEST_TIMEOUT_MS = 0;
const KEEP_ALIVE_MS = 65_000;
const IDLE_LOOK_MS = 20;
const MAX_HEADER_BYTES = 16 * 1024;

export interface RunningServer {
  /** `http://127.0.0.1:8710`. */
  readonly url: string;
  /** Takes no more requests, and resolves when those under way are answered, or cut after the time. */
  stop(deadlineMs: number): Promise<void>;
}

/** @throws ListenError */
export async function startServer({ app }: Api, address: Address): Promise<RunningServer> {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
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
  const what = { name: "the API", hostSetting: "GATEHOUSE_HOST", portSetting: "GATEHOUSE_PORT" };
  const url = await listen(server, address, what);
  return {
    url,
    stop: async (deadlineMs) => {
      const closed = once(server, "close");
      server.close();
      // A connection that is kept alive is idle once its answer ends, and closes by itself only much later.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      const late = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearInterval(idle);
      clearTimeout(late);
    },
  };
}
