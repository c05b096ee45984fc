/** The API as a server on a port: limits on slow clients, and an end that finishes what is under way. */
import { getRequestListener } from "@hono/node-server";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatehouseError } from "../errors.js";
import type { Api } from "./api.js";

const HEADERS_TIMEOUT_MS = 10_000;
/** A stream of events may take its time; each of its pieces may not. */
const REQUEST_TIMEOUT_MS = 0;
const KEEP_ALIVE_MS = 65_000;
const IDLE_LOOK_MS = 20;
const MAX_HEADER_BYTES = 16 * 1024;

/** The address is taken, or not ours. */
export class ListenError extends GatehouseError {
  readonly code = "server.listen_failed";
  readonly retryable = false;
}

export interface RunningServer {
  /** `http://127.0.0.1:8710`. */
  readonly url: string;
  /** Takes no more requests, and resolves when those under way are answered, or cut after the time. */
  stop(deadlineMs: number): Promise<void>;
}

/** @throws ListenError */
export async function startServer(
  { app }: Api,
  { host, port }: { host: string; port: number },
): Promise<RunningServer> {
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
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new ListenError(`the API can't listen on ${host}:${port}: ${(cause as Error).message}`, {
      cause,
      fix: "Set GATEHOUSE_PORT to a free port (0: any), and GATEHOUSE_HOST to an address of this machine.",
    });
  }
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
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
