/** Stands before a server and does to its requests what a network, a proxy or an overloaded server does to them. */
import { once } from "node:events";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/**
 * `pass`: as if nothing stood between. `cut`: the connection ends before the server sees anything. `lose`: the server does it, and the
 * answer gets lost. `hang`: nothing happens at all. A status: answered without the server.
 */
export type Fault =
  | "pass"
  | "cut"
  | "lose"
  | "hang"
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

export class FaultyProxy {
  readonly passed: Passing[] = [];
  /** Requests that have come and have no answer yet, and the most there ever were. */
  underway = 0;
  mostUnderway = 0;
  fault: (passing: Passing) => Fault | Promise<Fault> = () => "pass";

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  static async start(target: string): Promise<FaultyProxy> {
    const server = createServer((request, response) => {
      proxy.mostUnderway = Math.max(proxy.mostUnderway, ++proxy.underway);
      response.once("close", () => proxy.underway--);
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString();
        const passing = { method: request.method ?? "", path: request.url ?? "", body };
        proxy.passed.push(passing);
        const headers = { "content-type": request.headers["content-type"] ?? "" };
        void proxy.treat(target, passing, { ...headers, authorization: request.headers.authorization ?? "" }, response);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy: FaultyProxy = new FaultyProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  /** Ids of the events of each request, in order. */
  get sentIds(): string[][] {
    return this.passed.map(({ body }) => (JSON.parse(body) as { id: string }[]).map(({ id }) => id));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async treat(
    target: string,
    passing: Passing,
    headers: Record<string, string>,
    response: ServerResponse,
  ): Promise<void> {
    const fault = await this.fault(passing);
    if (fault === "hang") return;
    if (fault === "cut") {
      response.destroy();
      return;
    }
    if (typeof fault === "object") {
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      response.end(JSON.stringify(fault.body ?? {}));
      return;
    }
    const { method, path, body } = passing;
    const answer = await fetch(`${target}${path}`, { method, headers, ...(method === "POST" && { body }) });
    const text = await answer.text();
    if (fault === "lose") {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(text);
  }
}
