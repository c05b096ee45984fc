/** A command that goes on for as long as somebody watches outlasts an outage of Redis: it says so, and waits. */
import { setTimeout as delay } from "node:timers/promises";
import { StoreUnavailableError } from "../errors.js";

const AGAIN_MS = 250;

/**
 * Asks until Redis answers.
 * @param say told once that it does not, and once that it does again
 * @returns `undefined`: it was stopped before
 * @throws whatever else `ask` rejects with
 */
export async function whenThere<Answer>(
  ask: () => Promise<Answer>,
  stopping: AbortSignal,
  say: (sentence: string) => void,
): Promise<Answer | undefined> {
  let isAway = false;
  while (!stopping.aborted) {
    try {
      const answer = await ask();
      if (isAway) say("Redis answers again.");
      return answer;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (!isAway) say(`${error.message}. Waiting for it …`);
      isAway = true;
      await delay(AGAIN_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return undefined;
}
