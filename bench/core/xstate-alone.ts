/** XState by itself: the real chart, its transitions in a loop, one inert scope used again; no queue, store, record or deadline. */
import type { SessionEvent } from "../../machines/events/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import type { Platform, Rules } from "../../machines/policy/rules.js";
import { sessionChart } from "../../machines/session/chart.js";
import { type StatePath, newFacts } from "../../machines/session/context.js";
import { readCatalogue } from "../../src/control/catalogue-document.js";
import { type AcceptedEvent, acceptEvent } from "../../src/ingest/accept.js";
import type { Material } from "./material.js";

const SCOPE = {
  self: {},
  id: "bench",
  sessionId: "bench",
  logger: () => {},
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  actionExecutor: () => {},
  system: { _sendInspectionEvent: () => {} },
} as never;

type Snapshot = ReturnType<typeof sessionChart.resolveState>;

/** Transitions a second. */
export function xstateAlone({ tenant, catalogue, events }: Material): number {
  const accepted = events.flatMap((event): readonly AcceptedEvent[] => {
    const acceptance = acceptEvent(event, tenant);
    return "events" in acceptance ? acceptance.events : [];
  });
  const resolver = new Resolver(readCatalogue(catalogue));
  const rulesOn = (platform: Platform): Rules =>
    resolver.rules({
      platform,
      app: "azure-mobile",
      user: "bench",
      mdmEnrolled: undefined,
      licensed: true,
      groups: [],
    });
  const rules = { ios: rulesOn("ios"), android: rulesOn("android") };
  const sessions = new Map<string, { snapshot: Snapshot; platform: Platform }>();
  const startedAt = performance.now();
  for (const { session: id, event, time } of accepted) {
    const session = sessions.get(id) ?? begin(event);
    if (session === undefined) continue;
    const step = {
      now: time,
      rules: rules[session.platform],
      user: "bench",
      rest: restOf(session.snapshot.value),
      restCause: undefined,
      armed: {},
    };
    const snapshot = { ...session.snapshot, context: { ...session.snapshot.context, step } };
    const next = sessionChart.transition(snapshot as never, event as never, SCOPE);
    sessions.set(id, { snapshot: next, platform: session.platform });
  }
  return accepted.length / ((performance.now() - startedAt) / 1_000);
}

function begin(event: SessionEvent): { snapshot: Snapshot; platform: Platform } | undefined {
  if (event.type !== "account.signedIn") return undefined;
  const { platform } = event;
  const context = newFacts({ platform, enrollment: "none" });
  const snapshot = sessionChart.resolveState({ value: { unenrolled: "checking" }, context } as never);
  return { snapshot, platform };
}

function restOf(value: unknown): StatePath {
  return (typeof value === "string" ? value : Object.entries(value as object)[0]?.join(".")) as StatePath;
}
