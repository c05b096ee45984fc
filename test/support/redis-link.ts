/**
 * A link to a Redis that understands what is asked through it, so that a test can strike at one chosen call: before the server hears
 * it, in place of its answer, or after it.
 */
import { type Socket, connect } from "node:net";
import { Script, type ScriptName } from "../../src/store/redis/script.js";
import { type Passage, Relay } from "./relay.js";

/** `before`: the server never hears the call. `replyLost`: it does what it was told, and its answer gets lost. `after`: the answer arrived. */
export type Moment = "before" | "replyLost" | "after";

/** Words of one command, as they are sent. */
type Command = readonly string[];

export interface Strike {
  readonly at: (command: Command) => boolean;
  readonly moment: Moment;
  /** Which of these calls, from now on; the first is 1. */
  readonly nth?: number;
  /** What happens then, with the connection held; absent: the connection is cut. */
  readonly act?: () => void;
}

/** A call of this script. */
export function running(name: ScriptName): Strike["at"] {
  const { sha } = new Script(name);
  return ([command, script]) => command?.toUpperCase() === "EVALSHA" && script === sha;
}

export class RedisLink {
  /** How often it struck. */
  strikes = 0;
  #armed: { strike: Strike; left: number } | undefined;

  private constructor(private readonly relay: Relay) {
    relay.pass = (passage) => this.#join(passage);
  }

  /** @param target address of the server: `redis://` or `unix://` */
  static async start(target: string): Promise<RedisLink> {
    return new RedisLink(await Relay.start(() => reach(new URL(target))));
  }

  get url(): string {
    return `redis://127.0.0.1:${this.relay.port}`;
  }

  /** One strike at a time; a new one takes the place of one that did not come yet. */
  strike(strike: Strike): void {
    this.#armed = { strike, left: strike.nth ?? 1 };
  }

  async stop(): Promise<void> {
    this.relay.stop();
  }

  #join({ client, server, end }: Passage): void {
    let unread = Buffer.alloc(0);
    /** Struck, and held: nothing passes any more. */
    let isHeld = false;
    let struckAfter: Strike | undefined;
    const act = ({ act: doing }: Strike): void => {
      isHeld = true;
      this.strikes++;
      if (doing === undefined) end();
      else doing();
    };
    client.on("data", (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      for (let request = nextRequest(unread); request !== undefined && !isHeld; request = nextRequest(unread)) {
        // Whoever asks the next thing has taken the answer to the last.
        if (struckAfter !== undefined) {
          act(struckAfter);
          return;
        }
        const strike = this.#due(request.command);
        if (strike?.moment === "before") {
          act(strike);
          return;
        }
        if (strike?.moment === "after") struckAfter = strike;
        server.write(unread.subarray(0, request.bytes));
        unread = unread.subarray(request.bytes);
        if (strike?.moment === "replyLost") {
          server.once("data", () => act(strike));
          server.off("data", pass);
        }
      }
    });
    const pass = (bytes: Buffer): void => {
      if (!isHeld) client.write(bytes);
    };
    server.on("data", pass);
  }

  #due(command: Command): Strike | undefined {
    const armed = this.#armed;
    if (armed === undefined || !armed.strike.at(command) || --armed.left > 0) return undefined;
    this.#armed = undefined;
    return armed.strike;
  }
}

const reach = ({ protocol, hostname, port, pathname }: URL): Socket =>
  protocol === "unix:" ? connect(pathname) : connect({ host: hostname, port: Number(port || 6_379) });

/** The first command that a stretch of requests holds whole, with its size. */
function nextRequest(bytes: Buffer): { readonly command: Command; readonly bytes: number } | undefined {
  let at = 0;
  /** Reads `*3\r\n` or `$12\r\n`; undefined where it is not all there yet. */
  const number = (): number | undefined => {
    const end = bytes.indexOf("\r\n", at);
    if (end === -1) return undefined;
    const value = Number(bytes.toString("latin1", at + 1, end));
    at = end + 2;
    return value;
  };
  const words = number();
  if (words === undefined) return undefined;
  const command: string[] = [];
  for (let n = 0; n < words; n++) {
    const length = number();
    if (length === undefined || bytes.length < at + length + 2) return undefined;
    command.push(bytes.toString("utf8", at, at + length));
    at += length + 2;
  }
  return { command, bytes: at };
}
