/** The client that talks to the API, with nothing but what Node brings. */
import { setTimeout as delay } from "node:timers/promises";
import type { Decision } from "../../../machines/decision.js";
import { DEFAULT_APP, isSubject } from "../../ingest/subject.js";
import type { Asked, GatehouseClient } from "../client.js";
import type { GatehouseEvent } from "../event.js";
import { denyUnanswered, readDecision } from "./answered-decision.js";
import { Api, type ApiAnswer, type ApiRequest } from "./api.js";
import { EmitQueue } from "./emit-queue.js";
import { type HttpClientOptions, readOptions } from "./options.js";

/** Sessions that one request asks about. */
const ASKED_AT_ONCE = 100;
/** Before the one retry of a decision, ms at most. */
const RETRY_PAUSE_MS = 25;

/** @throws RangeError if an option can't be used */
export function createHttpClient(options: HttpClientOptions): GatehouseClient {
  const { access, settings } = readOptions(options);
  const api = new Api(access);
  const queue = new EmitQueue(api, settings);

  /** One retry, and both within the time: whoever asks has a person waiting. */
  const ask = async (request: Omit<ApiRequest, "timeoutMs">): Promise<ApiAnswer> => {
    const startedAt = performance.now();
    const first = await api.call({ ...request, timeoutMs: Math.ceil(settings.decideTimeoutMs / 2) });
    const isWorthARetry = first.kind === "none" || first.status >= 500;
    const leftMs = Math.floor(settings.decideTimeoutMs - (performance.now() - startedAt));
    if (!isWorthARetry || leftMs <= RETRY_PAUSE_MS) return first;
    const pauseMs = Math.random() * RETRY_PAUSE_MS;
    await delay(pauseMs);
    return api.call({ ...request, timeoutMs: Math.max(1, Math.floor(leftMs - pauseMs)) });
  };

  const decide = async (asked: Asked): Promise<Decision> => {
    const answer = await ask({ method: "GET", path: `v1/decision?${new URLSearchParams(fieldsOf(asked)).toString()}` });
    return (isGood(answer) ? readDecision(answer.body, asked) : undefined) ?? denyUnanswered(asked);
  };

  const decideAtOnce = async (asked: readonly Asked[]): Promise<[Asked, Decision][]> => {
    const body = { text: JSON.stringify({ asked: asked.map(fieldsOf) }), mediaType: "application/json" };
    const answer = await ask({ method: "POST", path: "v1/decisions", body });
    const { decisions } = (isGood(answer) ? answer.body : {}) as { readonly decisions?: unknown };
    const told: readonly unknown[] = Array.isArray(decisions) && decisions.length === asked.length ? decisions : [];
    return asked.map((one, n) => [one, readDecision(told[n], one) ?? denyUnanswered(one)]);
  };

  return {
    emit: async (events) =>
      queue.emit(Array.isArray(events) ? (events as readonly GatehouseEvent[]) : [events as GatehouseEvent]),
    decide,
    decideMany: async (asked) => {
      const askable = asked.filter(isAskable);
      const parts: Promise<[Asked, Decision][]>[] = [];
      for (let from = 0; from < askable.length; from += ASKED_AT_ONCE) {
        parts.push(decideAtOnce(askable.slice(from, from + ASKED_AT_ONCE)));
      }
      const decisions = new Map((await Promise.all(parts)).flat());
      return asked.map((one) => decisions.get(one) ?? denyUnanswered(one));
    },
    flush: async () => queue.flush(),
    close: async () => queue.close(),
  };
}

const isGood = (answer: ApiAnswer): answer is Extract<ApiAnswer, { kind: "answer" }> =>
  answer.kind === "answer" && answer.status === 200 && typeof answer.body === "object" && answer.body !== null;

const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

/** What the API is told, and nothing else that the object may hold. A language that is none is not worth a refusal. */
function fieldsOf({ device, user, app, language }: Asked): Record<string, string> {
  return {
    device,
    user,
    ...(app !== undefined && { app }),
    ...(language !== undefined && LANGUAGE.test(language) && { language }),
  };
}

/** What is not, the API would refuse, and with it the others of the same request. */
const isAskable = ({ device, user, app = DEFAULT_APP }: Asked): boolean => isSubject(`${device}/${user}/${app}`);
