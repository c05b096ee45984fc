/** What will be so before long: asked again and again, for as long as a busy machine may need. */
import { expect } from "vitest";

const PATIENCE_MS = 15_000;

export const eventually = <Value>(look: () => Value | Promise<Value>) => expect.poll(look, { timeout: PATIENCE_MS });
