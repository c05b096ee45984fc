/** What is known of the device's health. */
import { z } from "zod";
import { Posture } from "../policy/posture.js";
import { THREAT_LEVELS } from "../policy/rules.js";
import { defineEvent } from "./define-event.js";
import { ShortText } from "./fields.js";

export const postureReported = defineEvent({
  type: "posture.reported",
  meaning: "The device's versions, lock and integrity. Replaces the report before; judged by conditional launch.",
  emitters: ["app"],
  bearing: "judged",
  data: Posture,
});

export const threatLevelChanged = defineEvent({
  type: "threat.levelChanged",
  meaning: "A mobile threat defence product rates the device.",
  emitters: ["mtd"],
  bearing: "judged",
  data: z.strictObject({ level: z.enum(THREAT_LEVELS), partner: ShortText }),
});
