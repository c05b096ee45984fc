/** Asks before something that can't be undone: whoever goes on has to type a word. */
import { createInterface } from "node:readline/promises";
import { EXIT } from "./exit-code.js";
import { paintErr } from "./terminal.js";

/**
 * Ctrl-D is a no. So is Ctrl-C, and the command then ends with the code of an interruption.
 * @param what is about to happen, as `… to …`
 * @param word to be typed
 */
export async function confirmed(what: string, word: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  terminal.on("SIGINT", () => {
    process.exitCode = EXIT.interrupted;
    left.abort();
  });
  terminal.on("close", () => left.abort());
  try {
    const question = `This can't be undone. Type ${paintErr("bold", word)} to ${what}: `;
    return (await terminal.question(question, { signal: left.signal })).trim() === word;
  } catch (error) {
    if (!left.signal.aborted) throw error;
    return false;
  } finally {
    terminal.close();
  }
}
