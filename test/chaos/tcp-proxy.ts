/** A link between processes that can be cut, held up and garbled as networks do: bytes go through it, and it knows nothing of what they say. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** What becomes of bytes on their way. */
export interface Weather {
  /** Nobody hears the server. */
  readonly repliesLost?: boolean;
  /** The server hears nobody. */
  readonly requestsLost?: boolean;
  /** Each way, ms. */
  readonly delayMs?: number;
}

export class TcpProxy {
  weather: Weather = {};
  /** A reply to come is swallowed, and its connection cut right after: what it answered was done. */
  #repliesToSwallow = 0;
  /** A connection to come is cut after so many bytes of what it says. */
  #cutAfterBytes: number | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(readonly port: number) {}

  /** @param target port on this machine; asked for at each connection */
  static async start(target: () => number): Promise<TcpProxy> {
    const server = createServer((client) => proxy.#join(client, connect({ host: "127.0.0.1", port: target() })));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
    const proxy: TcpProxy = new TcpProxy((server.address() as AddressInfo).port);
    return proxy;
  }

  /** Every connection ends at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  swallowReplies(count: number): void {
    this.#repliesToSwallow = count;
  }

  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  #join(client: Socket, server: Socket): void {
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let left = this.#cutAfterBytes;
    this.#cutAfterBytes = undefined;
    client.on("data", (bytes) => {
      if (this.weather.requestsLost) return;
      if (left !== undefined && (left -= bytes.length) <= 0) {
        // A torn request: the server gets the beginning of it.
        server.write(bytes.subarray(0, bytes.length + left), end);
        return;
      }
      this.#pass(server, bytes);
    });
    server.on("data", (bytes) => {
      if (this.weather.repliesLost) return;
      if (this.#repliesToSwallow > 0) {
        this.#repliesToSwallow--;
        end();
        return;
      }
      this.#pass(client, bytes);
    });
  }

  #pass(to: Socket, bytes: Buffer): void {
    const { delayMs } = this.weather;
    if (delayMs === undefined) to.write(bytes);
    else setTimeout(() => to.writable && to.write(bytes), delayMs);
  }
}
