/** The app's own life on the device. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";
import { ProducerTime } from "./fields.js";

const At = z.strictObject({ at: ProducerTime.optional() });

export const appLaunched = defineEvent({
  type: "app.launched",
  meaning: "The app was started. Conditions are judged again and warnings may show again.",
  emitters: ["app"],
  data: At,
});

export const appForegrounded = defineEvent({
  type: "app.foregrounded",
  meaning: "The app came to the foreground: inactivity ends, conditions are judged again.",
  emitters: ["app"],
  data: At,
});

export const appBackgrounded = defineEvent({
  type: "app.backgrounded",
  meaning: "The app left the foreground: inactivity begins to count.",
  emitters: ["app"],
  data: At,
});

export const deviceRebooted = defineEvent({
  type: "device.rebooted",
  meaning: "The device restarted. On Android access is checked again at once.",
  emitters: ["app"],
  bearing: "restricting",
  data: At,
});
