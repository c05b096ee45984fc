/**
 * Sends requests at a steady rate, whether the earlier ones were answered or not, and tells how long each took. Load generators that wait
 * for an answer before they send the next request, or that send a second's share at its beginning, measure something else.
 */
import { Agent, request } from "node:http";
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
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const { hostname, port } = new URL(url);
  const headers = { authorization: `Bearer ${key}` };
  const ask = async (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      request({ agent, hostname, port, path, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${path.split("?", 1)[0]} answered ${response.statusCode}`));
        response.resume().once("end", () => resolve(performance.now() - startedAt));
      })
        .once("error", reject)
        .end();
    });

  const waits: Promise<number>[] = [];
  const startedAt = performance.now();
  const warmUp = warmUpSeconds * requestsPerSecond;
  const all = warmUp + seconds * requestsPerSecond;
  for (let sent = 0; sent < all;) {
    const due = Math.min(all, Math.ceil(((performance.now() - startedAt) / 1_000) * requestsPerSecond));
    for (; sent < due; sent++) waits.push(ask(paths[sent % paths.length] as string));
    await delay(1);
  }
  tell({ kind: "waits", waits: (await Promise.all(waits)).slice(warmUp) });
});
