/** What the runs' command lines take. */
import { InvalidArgumentError } from "commander";

export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

export function whole(text: string, most: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > most) {
    throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
  }
  return value;
}

export function seedOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new InvalidArgumentError("A seed is a whole number, 0 or more, of at most 15 digits.");
  }
  return Number(text);
}
