/** A worker's own port, for whoever watches it: metrics and probes, and nothing that changes anything. */
import { createServer } from "node:http";
import { type Address, listen } from "../listen.js";
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

/** @throws ListenError */
export async function startMetricsServer(
  { metrics, readiness }: WatchedProcess,
  address: Address,
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
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    void answer(path)
      .catch((error: unknown) => [500, "text/plain", `${(error as Error).message}\n`] as const)
      .then(([status, type, body]) => response.writeHead(status, { "content-type": type }).end(body));
  });
  const what = { name: "metrics", hostSetting: "GATEHOUSE_METRICS_HOST", portSetting: "GATEHOUSE_METRICS_PORT" };
  const url = await listen(server, address, what);
  return {
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
