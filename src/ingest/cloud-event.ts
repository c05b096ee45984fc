/** The envelope of an event from outside: a CloudEvent 1.0 whose subject names the session. */
import { z } from "zod";
import { isSubject, isUserSubject } from "./subject.js";

export { DEFAULT_APP, isSubject, isUserSubject, parseSubject, type Subject, TENANT_PATTERN } from "./subject.js";

export const CloudEventEnvelope = z.strictObject({
  specversion: z.literal("1.0"),
  id: z.string().min(1).max(256).describe("unique within `source`; sending the same id again is safe"),
  source: z.string().min(1).max(256).describe("who reports it, a URI reference"),
  type: z.string().min(1).max(128),
  subject: z
    .string()
    .refine((text) => isSubject(text) || isUserSubject(text), "`device/user` or `device/user/app`")
    .describe("the session; of an event about a user, `user` alone is enough"),
  time: z.iso.datetime({ offset: true }).describe("when it happened, by the producer's clock"),
  datacontenttype: z.literal("application/json").optional(),
  dataschema: z.string().max(256).optional(),
  /** Version of the payload's shape. */
  schemaversion: z.literal(1).optional(),
  /** Taken only if it is the caller's own tenant. */
  tenant: z.string().max(64).optional(),
  traceparent: z.string().max(64).optional(),
  tracestate: z.string().max(512).optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type CloudEventEnvelope = z.infer<typeof CloudEventEnvelope>;
