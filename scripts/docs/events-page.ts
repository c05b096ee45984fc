/** docs/events.md: every event, effect and message, from their schemas. */
import { z } from "zod";
import { EFFECTS } from "../../machines/effects/catalogue.js";
import { MESSAGES } from "../../machines/effects/messages.js";
import { EVENTS } from "../../machines/events/catalogue.js";
import type { EventDefinition } from "../../machines/events/define-event.js";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly description?: string;
}

/** A field's type in a few words; the words of a long enumeration are left to the schema. */
function typeText({ type, enum: values, items, minimum, maximum, format, properties }: Schema): string {
  if (values !== undefined)
    return values.length > 12
      ? "one of many, see the schema"
      : values.map((value) => `\`${String(value)}\``).join(", ");
  if (format === "date-time") return "RFC 3339 time";
  if (type === "array") return `list of ${typeText(items ?? {})}`;
  if (type === "object" && properties !== undefined) return `{ ${Object.keys(properties).join(", ")} }`;
  if (type === "integer") {
    const isBounded = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
    return isBounded ? `whole number, ${minimum}–${maximum}` : "whole number";
  }
  return type ?? "any";
}

function fields(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" }) as Schema;
  const all = Object.entries(properties).filter(([name]) => name !== "role");
  if (all.length === 0) return "–";
  return all
    .map(([name, field]) => {
      const note = field.description === undefined ? "" : `: ${field.description}`;
      return `\`${name}\`${required.includes(name) ? "" : "?"} ${typeText(field)}${note}`;
    })
    .join("<br>")
    .replaceAll("|", "\\|");
}

const BEARING = { restricting: "takes away", relaxing: "may give", neutral: "–", judged: "by the rules" } as const;

/** The bearing of an event whatever it carries, or "by its data" where it depends on that. */
function bearingText({ bearing }: EventDefinition): string {
  const fixed = bearing.length === 0 ? bearing({} as never) : undefined;
  return fixed === undefined ? "by its data" : BEARING[fixed];
}

const outside = [...EVENTS.values()].filter(({ emitters }) => emitters.length > 0);
const own = [...EVENTS.values()].filter(({ emitters }) => emitters.length === 0);

export const eventsPage = [
  "# Events and effects",
  "",
  "This page is written from the schemas in `machines/events` and `machines/effects` by `npm run docs`.",
  "",
  "## Envelope",
  "",
  "An event is a CloudEvent 1.0: `specversion` (`1.0`), `id` and `source` (together unique; sending the same again is safe), `type`,",
  "`subject` (`device/user` or `device/user/app`; of an event about a user, `user` is enough), `time` (RFC 3339, the producer's clock) and `data`. Unknown fields are refused. An event is 16 KiB at most.",
  "",
  "```json",
  JSON.stringify({
    specversion: "1.0",
    id: "8f14e45f",
    source: "app://ios",
    type: "pin.verified",
    subject: "phone-17/adele",
    time: "2026-03-02T08:00:00.000Z",
    data: { method: "pin" },
  }),
  "```",
  "",
  "An `account.switched` concerns two sessions and is recorded once for each. An event of a *user* reaches every session of that user: see [users](users.md).",
  "",
  "## Events from outside",
  "",
  "*Access*: whether the event can take access away or give it. One that may give it is not applied when its `time` is before that of the last one that took it",
  "away (`stale`).",
  "",
  "| type | of | from | access | data (`?` may be left out) | meaning |",
  "|---|---|---|---|---|---|",
  ...outside.map(
    (event) =>
      `| \`${event.type}\` | ${event.scope} | ${event.emitters.join(", ")} | ${bearingText(event)} | ${fields(event.data)} | ${event.meaning} |`,
  ),
  "",
  "## Events that Gatehouse makes itself",
  "",
  "They stand in the journal and are refused from outside.",
  "",
  "| type | meaning |",
  "|---|---|",
  ...own.map(({ type, meaning }) => `| \`${type}\` | ${meaning} |`),
  "",
  "## Effects",
  "",
  "Each carries `id` (the same at every attempt), `session`, `revision`, `at` (epoch ms), `kind`, `type` and `data`. One of kind `state` may be dropped if a newer revision was",
  "seen; a `command` never.",
  "",
  "| type | kind | data | meaning |",
  "|---|---|---|---|",
  ...Object.entries(EFFECTS).map(
    ([type, { kind, data, meaning }]) => `| \`${type}\` | ${kind} | ${fields(data)} | ${meaning} |`,
  ),
  "",
  "## Messages for the person",
  "",
  "| key | text |",
  "|---|---|",
  ...Object.entries(MESSAGES).map(([key, text]) => `| \`${key}\` | ${text} |`),
  "",
].join("\n");
