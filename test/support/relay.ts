/** A port on this machine that stands before a server. Both sockets of a connection through it end together; what passes is for others to say. */
import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";

export interface Passage {
  readonly client: Socket;
  readonly server: Socket;
  /** Ends both sockets at once. */
  readonly end: () => void;
}

export class Relay {
  /** Is told of each connection, before anything came through it. */
  pass: (passage: Passage) => void = ({ end }) => end();
  readonly #sockets = new Set<Socket>();
  readonly #listening = createServer((client) => this.#join(client));

  /** @param reach a connection to the server, for each one that comes */
  private constructor(private readonly reach: () => Socket) {}

  static async start(reach: () => Socket): Promise<Relay> {
    const relay = new Relay(reach);
    relay.#listening.listen(0, "127.0.0.1");
    await once(relay.#listening, "listening");
    // It lasts no longer than whoever is tested through it.
    relay.#listening.unref();
    return relay;
  }

  get port(): number {
    return (this.#listening.address() as AddressInfo).port;
  }

  /** Every connection ends at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    this.cut();
    this.#listening.close();
  }

  #join(client: Socket): void {
    const server = this.reach();
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
    this.pass({ client, server, end });
  }
}
