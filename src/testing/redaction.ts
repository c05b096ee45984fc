/**
 * Takes out of events and rules what names somebody: ids, names and free text give way to placeholders, the same for the same
 * thing. What is kept is what the payloads' schemas list: choices, numbers and versions. So a field that is added later is redacted
 * until somebody says otherwise.
 */
import { z } from "zod";
import { EVENTS, type SessionEvent } from "../../machines/events/catalogue.js";
import { PIN_VIOLATIONS } from "../../machines/policy/pin-rules.js";
import type { Condition, PolicyRef, Rules } from "../../machines/policy/rules.js";
import { parseVersion } from "../../machines/policy/version.js";
import { type SessionId, sessionIdParts } from "../../machines/session/session.js";

/** What a field's values are called in their placeholder; fields that share a word name the same things. */
const WORDS: Readonly<Record<string, string>> = {
  accountId: "user",
  fromAccountId: "user",
  toAccountId: "user",
  allowedAccountIds: "user",
  groups: "group",
  skuId: "sku",
  policyIds: "policy",
  requestId: "request",
  attemptId: "earlier-attempt",
  unsatisfied: "control",
  violations: "violation",
};

const isVersion = (text: string): boolean => parseVersion(text) !== undefined;
const isDate = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text);
/** Graph's own names; a tenant's custom controls are its own. */
const CONTROLS: ReadonlySet<string> = new Set([
  "block",
  "mfa",
  "compliantDevice",
  "domainJoinedDevice",
  "approvedApplication",
  "compliantApplication",
  "passwordChange",
  "authenticationStrength",
  "termsOfUse",
]);

/** Texts that say nothing about anybody, and that rules look at. */
const KEPT: Readonly<Record<string, (text: string) => boolean>> = {
  osVersion: isVersion,
  appVersion: isVersion,
  sdkVersion: isVersion,
  portalVersion: isVersion,
  version: isVersion,
  patchVersion: isDate,
  unsatisfied: (text) => CONTROLS.has(text),
  violations: (text) => (PIN_VIOLATIONS as readonly string[]).includes(text),
};

/** Texts for people, which nothing looks at. */
const DROPPED: ReadonlySet<string> = new Set(["note", "error", "errorCode", "rawCode"]);

interface Shape {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
}

const shapes = new Map<string, Shape>();

function shapeOf(type: string): Shape {
  let shape = shapes.get(type);
  if (shape === undefined) {
    shape = z.toJSONSchema(EVENTS.get(type)?.data ?? z.strictObject({}), { io: "input" }) as Shape;
    shapes.set(type, shape);
  }
  return shape;
}

/** All of a session's rules, but the hash of them. */
export type CompleteRules = Omit<Rules, "hash">;

export class Redaction {
  private readonly names = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  /** The session's own parts are the first of their kind. */
  constructor(session: SessionId) {
    for (const [word, value] of Object.entries(sessionIdParts(session))) this.name(word, value);
  }

  /** How many different things were given placeholders. */
  get replaced(): number {
    return this.names.size;
  }

  /** `user-2`, always the same for the same user. Ids and names are compared without case. */
  name(word: string, value: string): string {
    const key = `${word}/${value.toLowerCase()}`;
    let name = this.names.get(key);
    if (name === undefined) {
      const number = (this.counts.get(word) ?? 0) + 1;
      this.counts.set(word, number);
      name = `${word}-${number}`;
      this.names.set(key, name);
    }
    return name;
  }

  /** The event without what names somebody; times by the producer's clock are left out, as nothing looks at them. */
  event<Event extends SessionEvent>(event: Event): Event {
    const { type, ...data } = event;
    return { type, ...(this.value("", data, shapeOf(type)) as object) } as Event;
  }

  /**
   * Rules in the form that `rules()` takes, complete: nothing in them is left to a default. Field by field, so that the compiler asks
   * about one that is added.
   */
  rules(rules: Rules): CompleteRules {
    const policy = ({ id }: PolicyRef): PolicyRef => {
      const name = this.name("policy", id);
      return { id: name, name };
    };
    return {
      platform: rules.platform,
      policies: rules.policies.map(policy),
      pin: rules.pin,
      credentialsRequired: rules.credentialsRequired,
      recheckAfterMs: rules.recheckAfterMs,
      offline: rules.offline,
      disabledAccount: rules.disabledAccount,
      offShift: rules.offShift,
      conditions: rules.conditions.map((condition) => this.condition(condition)),
      conditionalAccess: rules.conditionalAccess.map(({ policy: of, operator, controls, unsupported }) => ({
        policy: policy(of),
        operator,
        controls: controls.map((control) => this.text("unsatisfied", control)),
        ...(unsupported && { unsupported: unsupported.map((control) => this.text("unsatisfied", control)) }),
      })),
      membershipUnknown: rules.membershipUnknown,
      remediation: rules.remediation,
      dispositions: rules.dispositions,
      wipeOnSignOut: rules.wipeOnSignOut,
    };
  }

  private condition(condition: Condition): Condition {
    if (!("allowed" in condition)) return condition;
    const word = condition.kind === "deviceModel" ? "model" : condition.kind;
    return { ...condition, allowed: condition.allowed.map((name) => this.name(word, name)) };
  }

  private value(field: string, value: unknown, shape: Shape): unknown {
    if (Array.isArray(value)) return value.map((item) => this.value(field, item, shape.items ?? {}));
    if (typeof value === "object" && value !== null) {
      const kept: Record<string, unknown> = {};
      for (const [name, inner] of Object.entries(value)) {
        const innerShape = shape.properties?.[name] ?? {};
        if (inner === undefined || DROPPED.has(name) || innerShape.format === "date-time") continue;
        kept[name] = this.value(name, inner, innerShape);
      }
      return kept;
    }
    if (typeof value !== "string" || shape.enum?.includes(value) === true || shape.const === value) return value;
    return this.text(field, value);
  }

  private text(field: string, text: string): string {
    return KEPT[field]?.(text) === true ? text : this.name(WORDS[field] ?? field, text);
  }
}
