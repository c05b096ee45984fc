/** A webhook receiver of its own: a real HTTP server on this machine that answers as it is told, and remembers what it was sent. */
import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly at: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Reply = (request: ReceivedRequest, response: ServerResponse) => void;

export const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}): Reply =>
  (_, response) =>
    response.writeHead(status, headers).end();

export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  reply: Reply = answer(204);

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  static async start(port = 0): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const received = {
          at: Date.now(),
          path: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(parts).toString(),
        };
        receiver.requests.push(received);
        receiver.reply(received, response);
      });
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    return receiver;
  }

  get ids(): string[] {
    return this.requests.map(({ headers }) => String(headers["webhook-id"]));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
  }
}
