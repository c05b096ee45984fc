/**
 * Sends requests at a steady rate, whether the earlier ones were answered or not, and tells how long each took. Load generators that wait
 * for an answer before they send the next request, or that send a second's share at its beginning, measure something else. It shares the
 * cores with what it measures, so it is no more than sockets and texts: with Node's client a request cost half of what the API pays for it.
 */
import { type Socket, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { inChild, tell } from "../core/child.js";

interface Input {
  readonly url: string;
  readonly key: string;
  /** In turn. */
  readonly paths: readonly string[];
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** Before that, not measured. */
  readonly warmUpSeconds: number;
}

inChild<Input>(async ({ url, key, paths, requestsPerSecond, seconds, warmUpSeconds }) => {
  const { hostname, port } = new URL(url);
  const requests = paths.map(
    (path) => `GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${key}\r\n\r\n`,
  );
  const idle: Connection[] = [];
  const ask = async (request: string): Promise<number> => {
    const startedAt = performance.now();
    const connection = idle.pop() ?? new Connection(connect({ host: hostname, port: Number(port), noDelay: true }));
    await connection.ask(request);
    idle.push(connection);
    return performance.now() - startedAt;
  };

  const waits: Promise<number>[] = [];
  const startedAt = performance.now();
  const warmUp = warmUpSeconds * requestsPerSecond;
  const all = warmUp + seconds * requestsPerSecond;
  for (let sent = 0; sent < all;) {
    const due = Math.min(all, Math.ceil(((performance.now() - startedAt) / 1_000) * requestsPerSecond));
    for (; sent < due; sent++) waits.push(ask(requests[sent % requests.length] as string));
    await delay(1);
  }
  tell({ kind: "waits", waits: (await Promise.all(waits)).slice(warmUp) });
});

const HEAD_END = "\r\n\r\n";

/** One request at a time. */
class Connection {
  private received = "";
  private answered: (() => void) | undefined;
  private failed: ((error: Error) => void) | undefined;

  constructor(private readonly socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => this.take(piece));
    socket.on("error", (error) => this.failed?.(error));
    socket.on("end", () => this.failed?.(new Error("the API ended a connection")));
  }

  async ask(request: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.answered = resolve;
      this.failed = reject;
      this.socket.write(request, "latin1");
    });
  }

  private take(piece: string): void {
    this.received += piece;
    const head = this.received.indexOf(HEAD_END);
    if (head === -1) return;
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.received) ?? [];
    if (this.received.length < head + HEAD_END.length + Number(length)) return;
    if (!this.received.startsWith("HTTP/1.1 200 ")) this.failed?.(new Error(this.received.slice(0, head)));
    this.received = "";
    this.answered?.();
  }
}
