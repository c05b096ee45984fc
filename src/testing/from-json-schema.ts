/** Arbitraries from JSON Schema, as far as the events' payloads need it; whatever else a payload came to use is refused by name. */
import fc from "fast-check";

export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** Lists longer than this tell nothing more, and an event has a greatest size. */
const MAX_ITEMS = 6;
const MAX_LENGTH = 40;

/** Times that a producer could mean; whole seconds, so that no rounding comes between. */
const FIRST_TIME = new Date("2000-01-01T00:00:00Z");
const LAST_TIME = new Date("2099-12-31T23:59:59Z");

/** @throws Error if the schema says something that this does not know */
export function fromJsonSchema(schema: JsonSchema, path = ""): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ("const" in schema) return fc.constant(schema.const);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number": {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema;
      return fc.integer({ min: minimum, max: maximum });
    }
    case "string":
      return text(schema);
    case "array":
      return fc.array(fromJsonSchema(schema.items ?? {}, `${path}/items`), {
        maxLength: Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS),
      });
    case "object": {
      const { properties = {}, required = [] } = schema;
      const fields = Object.entries(properties).map(([name, inner]) => [
        name,
        fromJsonSchema(inner, `${path}/${name}`),
      ]);
      return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: [...required],
        noNullPrototype: true,
      });
    }
    default:
      throw new Error(`${path || "the payload"} is of type ${schema.type}, from which nothing can be generated yet`);
  }
}

function text({ pattern, format, minLength = 0, maxLength = MAX_LENGTH }: JsonSchema): fc.Arbitrary<string> {
  if (format === "date-time") {
    return fc
      .date({ min: FIRST_TIME, max: LAST_TIME, noInvalidDate: true })
      .map((date) => `${date.toISOString().slice(0, 19)}Z`);
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, MAX_LENGTH)), unit: "grapheme" });
}
