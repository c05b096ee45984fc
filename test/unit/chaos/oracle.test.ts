/** The second oracle and the chart agree on every session that the chaos run could lead, step by step. */
import { fc, test } from "@fast-check/vitest";
import { expect, test as plain } from "vitest";
import { decide } from "../../../machines/decision.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import { receive } from "../../../machines/receive.js";
import { Resolver } from "../../../machines/policy/resolver.js";
import { stateName } from "../../../machines/session/context.js";
import { type Session, resolveFacts } from "../../../machines/session/session.js";
import { readCatalogue } from "../../../src/control/catalogue-document.js";
import { Random } from "../../../src/demo/random.js";
import { acceptEvent } from "../../../src/ingest/accept.js";
import { type ChaosEvent, Oracle } from "../../chaos/oracle.js";
import { CONTENT, dataOf, nextEvent, restricts } from "../../chaos/world.js";

const TENANT = "contoso";
const resolver = new Resolver(readCatalogue({ version: 1, ...CONTENT }));
const policies = {
  base: 1,
  broadcasts: [],
  rules: (_: number, session: Session) => resolver.rules(resolveFacts(session)),
};
const START = Date.parse("2026-03-02T08:00:00Z");

const states = new Set<string>();

test.prop([fc.integer({ min: 0, max: 2 ** 31 })], { numRuns: 80 })(
  "of a device's life, event by event: the same state, and the same answer to whether it has access",
  (seed) => {
    const random = new Random(seed, "behaviour");
    const oracle = new Oracle();
    let session: Session | undefined;
    let wipe: string | undefined;
    const told: string[] = [];
    for (let n = 0; n < 120; n++) {
      const event: ChaosEvent = nextEvent(
        oracle.state,
        () => random.uint32() / 2 ** 32,
        () => `w${n}`,
        wipe,
      );
      if (event.type === "wipe.requested") wipe = event.requestId;
      const at = START + n * 1_000;
      const envelope = { specversion: "1.0", id: String(n), source: "app://chaos", time: new Date(at).toISOString() };
      const accepted = acceptEvent(
        { ...envelope, type: event.type, subject: "phone-1/adele", data: dataOf(event) },
        TENANT,
      );
      if (!("events" in accepted)) throw new Error(JSON.stringify(accepted));
      const [one] = accepted.events as unknown as { readonly session: string; readonly event: SessionEvent }[];
      if (one === undefined) throw new Error("no event");
      const origin = { source: "app://chaos", id: String(n), time: at, entry: `${at}-0` };
      session = receive(session, one.session, { event: one.event, at, origin }, policies, () => n + 1);
      const before = oracle.hasAccess;
      oracle.take(event);
      told.push(`${event.type} → ${session === undefined ? "none" : session.state}`);
      const state = session === undefined ? "none" : stateName(session.state);
      if (oracle.state !== state) expect.fail(`${told.join("\n")}\nand not ${oracle.state}`);
      if (session === undefined) continue;
      const { decision } = decide(session, policies.rules(1, session), at);
      if (oracle.hasAccess !== (decision === "allow")) expect.fail(`${told.join("\n")}\nis answered ${decision}`);
      // What the run takes for restricting never lets anybody in.
      if (restricts(event) && !before && oracle.hasAccess) expect.fail(`${told.join("\n")}\nlets in`);
      states.add(state);
    }
  },
  60_000,
);

plain("these lives are worth asking: they come to every state that there is", () =>
  expect([...states].sort()).toEqual(["active", "locked", "noncompliant", "pinSetup", "signedOut", "unenrolled"]),
);
