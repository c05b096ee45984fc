/** Payload fields that several events share. */
import { z } from "zod";

/** An account (Entra object id) or any other id from outside. */
export const Id = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/, "letters, digits, `.`, `_` and `-`, up to 128");

/** The producer's clock; kept for people, never used by the fold. */
export const ProducerTime = z.iso.datetime({ offset: true });

/** A short text for people: never a secret, never the device's own message. */
export const ShortText = z.string().min(1).max(256);

export const NoData = z.strictObject({});
