/** What administrators do that is recorded: `<what>.<verb>`, or one word where there is one verb only. docs/administering.md says what each is. */

export const ACTS = [
  "archive.keep",
  "archive.stop",
  "effects.redrive",
  "erase",
  "events.replay",
  "keys.create",
  "keys.revoke",
  "migrate",
  "policy.assign",
  "policy.discard",
  "policy.import",
  "policy.publish",
  "policy.remove",
  "policy.rollback",
  "policy.settings",
  "quarantine.drop",
  "quarantine.redrive",
  "reconcile",
  "registrations.import",
  "restore",
  "signout",
  "users.import",
  "webhooks.create",
  "webhooks.pause",
  "webhooks.remove",
  "webhooks.resume",
  "webhooks.rotate",
  "webhooks.test",
  "wipe.cancel",
  "wipe.request",
] as const;
export type ActName = (typeof ACTS)[number];

/** What may be asked for: an act, or all about a thing. */
export const ASKED_ACTS: readonly string[] = [
  ...new Set(ACTS.flatMap((act) => (act.includes(".") ? [act.slice(0, act.indexOf(".")), act] : [act]))),
];
