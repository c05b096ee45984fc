/** A link between processes that can be cut, held up and garbled as networks do: bytes go through it, and it knows nothing of what they say. */
import { type Socket, connect } from "node:net";
import { type Passage, Relay } from "../support/relay.js";

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

  private constructor(private readonly relay: Relay) {
    relay.pass = (passage) => this.#join(passage);
  }

  /** @param target port on this machine; asked for at each connection */
  static async start(target: () => number): Promise<TcpProxy> {
    return new TcpProxy(await Relay.start(() => connect({ host: "127.0.0.1", port: target() })));
  }

  get port(): number {
    return this.relay.port;
  }

  /** Every connection ends at once. */
  cut(): void {
    this.relay.cut();
  }

  swallowReplies(count: number): void {
    this.#repliesToSwallow = count;
  }

  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  #join({ client, server, end }: Passage): void {
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
