/** What the tests beside it are of: a backend that hands out documents for as long as Gatehouse allows. */
import type { Decision } from "gatehouse/testing";

export interface Answer {
  readonly status: 200 | 401 | 403;
  /** Until when the app may keep the document open, epoch ms; `null`: until it is told otherwise. */
  readonly openUntil?: number | null;
  readonly tellThePerson?: string;
}

/** The document, or what the person has to do first. */
export function answerDownload({ decision, message, validUntil }: Decision): Answer {
  if (decision === "allow") return { status: 200, openUntil: validUntil };
  return { status: decision === "challenge" ? 401 : 403, tellThePerson: message.text };
}
