/** Where effects go. A sink answers for all or nothing: what it did not take is offered again, so it may see one twice. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { EffectMessage } from "../store/partition-view.js";

export interface EffectSink {
  /** Resolves when all are taken. An effect may come again, always with the same id. */
  deliver(effects: readonly EffectMessage[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * One JSON object a line, as `{ id, session, revision, at, kind, type, data }`.
 * @param target a file, which is appended to, or `-` for stdout
 */
export function ndjsonSink(target: string): EffectSink {
  const stream: Writable = target === "-" ? process.stdout : createWriteStream(target, { flags: "a", mode: 0o600 });
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  return {
    deliver: async (effects) => {
      const lines = effects.map((effect) => `${JSON.stringify(effect)}\n`).join("");
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve, reject) => {
        stream.write(lines, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: async () => {
      if (stream === process.stdout) return;
      stream.end();
      if (!stream.closed) await once(stream, "close");
    },
  };
}

/** Takes every effect and keeps none. */
export const discardSink: EffectSink = { deliver: async () => {}, close: async () => {} };
