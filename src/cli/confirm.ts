/** Asks before something that can't be undone: whoever goes on has to type a word. */
import { createInterface } from "node:readline/promises";
import { paintErr } from "./terminal.js";

/**
 * @param what is about to happen, as `… to …`
 * @param word to be typed
 */
export async function confirmed(what: string, word: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await terminal.question(`This can't be undone. Type ${paintErr("bold", word)} to ${what}: `);
    return typed.trim() === word;
  } finally {
    terminal.close();
  }
}
