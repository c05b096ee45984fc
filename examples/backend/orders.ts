/**
 * What Gatehouse's effects amount to for the app: one picture of each session, and the commands that are still to be carried out.
 * A real backend keeps both in its database, in one transaction with the answer to the webhook.
 */

/** The body of a webhook: a CloudEvent. */
export interface Effect {
  /** The same at every attempt. */
  readonly id: string;
  /** `gatehouse.effect.promptPin` and so on. */
  readonly type: string;
  /** `device/user/app`. */
  readonly subject: string;
  /** Of the session: a greater one is newer. */
  readonly revision: number;
  readonly kind: "state" | "command";
  readonly data: Readonly<Record<string, unknown>>;
}

export class Orders {
  readonly #newest = new Map<string, number>();
  readonly #screens = new Map<string, Effect>();
  readonly #commands = new Map<string, Effect[]>();
  readonly #seen = new Set<string>();

  /** @returns what became of it */
  take(effect: Effect): "taken" | "repeated" | "stale" {
    // Effects come at least once: the id tells a repetition.
    if (this.#seen.has(effect.id)) return "repeated";
    this.#seen.add(effect.id);

    // And they may come out of order. An older picture of the session would undo a newer one, so it is dropped …
    const newest = this.#newest.get(effect.subject) ?? 0;
    this.#newest.set(effect.subject, Math.max(newest, effect.revision));
    if (effect.kind === "state") {
      if (effect.revision < newest) return "stale";
      this.#screens.set(effect.subject, effect);
      return "taken";
    }
    // … but a wipe or a sign-out has to be carried out, whatever came after it. Commands are never dropped.
    const commands = this.#commands.get(effect.subject) ?? [];
    this.#commands.set(effect.subject, [...commands, effect]);
    return "taken";
  }

  /** What the app is to show, and the commands that it has not been told yet. */
  collect(subject: string): { readonly screen: Effect | null; readonly commands: readonly Effect[] } {
    const commands = this.#commands.get(subject) ?? [];
    this.#commands.delete(subject);
    return { screen: this.#screens.get(subject) ?? null, commands };
  }
}
