/**
 * The Lua scripts beside this file, run by hash. `--@include <name>` in a script stands for the text of that file.
 * Not ioredis's `defineCommand`: its methods have no types, and a script is only ever run here.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type RedisConnection, withReplica } from "../../redis/connection.js";

export type ScriptName =
  | "archived"
  | "catalogue-publish"
  | "chunk"
  | "commit"
  | "continuity"
  | "delivery-add"
  | "delivery-redrive"
  | "delivery-settle"
  | "delivery-take"
  | "deployment"
  | "draft-save"
  | "dump"
  | "erase"
  | "image"
  | "ingest"
  | "load"
  | "peek"
  | "search"
  | "stream-copy"
  | "survey"
  | "user-change"
  | "user-done"
  | "user-forget"
  | "user-join"
  | "webhook-save";

function read(name: string): string {
  const text = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8");
  return text.replace(/^--@include (\S+)$/gm, (_, included: string) => read(included));
}

export class Script {
  /** By which the server knows it. */
  readonly sha: string;
  readonly #text: string;
  readonly #isConfirmed: boolean;

  /** @param isConfirmed its answer is given out: in class D2 only once a replica has what it tells of */
  constructor(name: ScriptName, { isConfirmed = false } = {}) {
    this.#isConfirmed = isConfirmed;
    this.#text = read(name);
    this.sha = createHash("sha1").update(this.#text).digest("hex");
  }

  async run(redis: RedisConnection, keys: readonly string[], argv: readonly (string | number)[]): Promise<unknown> {
    return this.#send(async (command, script) => {
      const args = [script, keys.length, ...keys, ...argv];
      if (!this.#isConfirmed) return redis.call(command, args);
      return withReplica(redis, keys[0] as string, async (node) => node.call(command, args));
    });
  }

  /** For a script whose replies are bytes: every string of the reply is a Buffer. */
  async runForBytes(
    redis: RedisConnection,
    keys: readonly string[],
    argv: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#send((command, script) => redis.callBuffer(command, [script, keys.length, ...keys, ...argv]));
  }

  async #send(send: (command: "EVAL" | "EVALSHA", script: string) => Promise<unknown>): Promise<unknown> {
    try {
      return await send("EVALSHA", this.sha);
    } catch (error) {
      // The server does not know the script (new, restarted, failed over), so nothing ran: sending it once is safe.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return send("EVAL", this.#text);
    }
  }
}
