/** A worker's own port, for whoever watches it: metrics and probes, and nothing that changes anything. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readiness } from "../readiness/readiness.js";
import type { Metrics } from "./metrics.js";

export interface WatchedProcess {
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
}

export interface MetricsServer {
  readonly url: string;
  close(): void;
}

/** @throws Error if the address can't be listened on */
export async function startMetricsServer(
  { metrics, readiness }: WatchedProcess,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const answer = async (path: string): Promise<readonly [status: number, type: string, body: string]> => {
    switch (path) {
      case "/livez":
        return [200, "text/plain", "ok\n"];
      case "/readyz": {
        const state = await readiness();
        return [state.ready ? 200 : 503, "application/json", JSON.stringify(state)];
      }
      case "/metrics":
        return [200, metrics.registry.contentType, await metrics.text()];
      default:
        return [404, "text/plain", "GET /livez, /readyz or /metrics\n"];
    }
  };
  const server = createServer((request, response) => {
    void answer(request.url ?? "/")
      .catch((error: unknown) => [500, "text/plain", `${(error as Error).message}\n`] as const)
      .then(([status, type, body]) => response.writeHead(status, { "content-type": type }).end(body));
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.address}:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
