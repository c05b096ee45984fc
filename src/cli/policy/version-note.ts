/** The words that a publisher leaves with a version. */
import { InvalidArgumentError } from "commander";

const MOST_CHARACTERS = 200;

export function noteText(text: string): string {
  const note = text.trim();
  if (note === "" || note.length > MOST_CHARACTERS || /\p{Cc}/u.test(note)) {
    throw new InvalidArgumentError(`Give one line of up to ${MOST_CHARACTERS} characters.`);
  }
  return note;
}
