/** Reads a decision from the API's answer. Whatever is not certainly the decision on what was asked is a deny. */
import type { Decision } from "../../../machines/decision.js";
import { messageText } from "../../../machines/effects/messages.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { DEFAULT_APP } from "../../ingest/subject.js";
import type { Asked } from "../client.js";

/** The answer without an answer. Only the server knows the tenant, so `session` is `device/user/app`. */
export const denyUnanswered = (asked: Asked): Decision => ({
  session: sessionOf(asked),
  decision: "deny",
  reasons: ["store.unavailable"],
  message: { key: "tryLater", text: messageText("tryLater") },
  revision: 0,
  asOf: 0,
  validUntil: null,
});

/** `undefined`: it is no decision, or one on something else. */
export function readDecision(body: unknown, asked: Asked): Decision | undefined {
  if (!isRecord(body) || !isRecord(body["message"])) return undefined;
  const { session, decision, state, reasons, message, revision, asOf, validUntil } = body;
  const isWhole =
    typeof session === "string" &&
    session.endsWith(`/${sessionOf(asked)}`) &&
    (decision === "allow" || decision === "challenge" || decision === "deny") &&
    (state === undefined || typeof state === "string") &&
    Array.isArray(reasons) &&
    reasons.every((reason) => typeof reason === "string") &&
    typeof message["key"] === "string" &&
    typeof message["text"] === "string" &&
    typeof revision === "number" &&
    typeof asOf === "number" &&
    (validUntil === null || typeof validUntil === "number");
  return isWhole ? (body as unknown as Decision) : undefined;
}

const sessionOf = ({ device, user, app = DEFAULT_APP }: Asked): string =>
  `${canonicalId(device)}/${canonicalId(user)}/${app}`;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
