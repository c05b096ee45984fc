/**
 * How an event is declared: its type, payload schema, meaning and direction in one place. The boundary parses with it,
 * the chart is typed by it, tests build from it and the documentation is written from it.
 */
import type { z } from "zod";

/** Who reports an event. */
export type Emitter = "app" | "service" | "admin" | "mtd";

/**
 * Which way an event can move access. A `restricting` event can only take access away. A `relaxing` one can give it, and
 * is not applied when it is older than the last restricting one. A `judged` event is either, by what the rules make of it: a
 * cause that appears restricts, a cause that goes relaxes.
 */
export type Bearing = "restricting" | "relaxing" | "judged" | "neutral";

/** Whom an event concerns: the session that its subject names, or the user, and with it every session of the user. */
export type Scope = "session" | "user";

export interface EventDefinition<Type extends string = string, Data extends z.ZodObject = z.ZodObject> {
  readonly type: Type;
  /** One or two sentences for the reference: the fact, and what it leads to. */
  readonly meaning: string;
  /** Empty for Gatehouse's own events, which are refused from outside. */
  readonly emitters: readonly Emitter[];
  readonly scope: Scope;
  /** Version of the payload's shape. */
  readonly schemaVersion: number;
  readonly data: Data;
  readonly bearing: (data: z.infer<Data>) => Bearing;
}

/** Declares an event that somebody outside reports. `scope` defaults to the session, `bearing` to neutral. */
export function defineEvent<const Type extends string, Data extends z.ZodObject>(definition: {
  type: Type;
  meaning: string;
  emitters: readonly [Emitter, ...Emitter[]];
  data: Data;
  scope?: Scope;
  bearing?: Bearing | ((data: z.infer<Data>) => Bearing);
}): EventDefinition<Type, Data> {
  const { scope = "session", bearing = "neutral" } = definition;
  return {
    ...definition,
    scope,
    schemaVersion: 1,
    bearing: typeof bearing === "function" ? bearing : () => bearing,
  };
}

/** Declares an event that Gatehouse itself makes: a deadline that passed, rules or a user that changed. */
export function defineOwnEvent<const Type extends string, Data extends z.ZodObject>(definition: {
  type: Type;
  meaning: string;
  data: Data;
}): EventDefinition<Type, Data> {
  return { ...definition, emitters: [], scope: "session", schemaVersion: 1, bearing: () => "neutral" };
}

/** The event as the chart receives it: type and payload side by side. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Data>
    ? string extends keyof z.infer<Data>
      ? { readonly type: Type }
      : { readonly type: Type } & Readonly<z.infer<Data>>
    : never;
