/**
 * One simulated device: sends its events, and the service's events about it, and knows what every account on it is asked to do.
 */
import type { Effect } from "../../machines/effects/catalogue.js";
import { EVENTS, type SessionEvent } from "../../machines/events/catalogue.js";
import type { Emitter } from "../../machines/events/define-event.js";
import type { PinRules, Platform } from "../../machines/policy/rules.js";
import type { StateName } from "../../machines/session/context.js";
import { DEFAULT_APP } from "../ingest/cloud-event.js";
import { type Character, sessionIdOf } from "./cast.js";
import { type DayPolicies, Mirror } from "./mirror.js";
import type { Wire } from "./wire.js";

interface Account {
  readonly user: string;
  readonly session: Mirror;
  /** Epoch ms; 0: never. */
  lastCheckinAt: number;
}

export class Phone {
  /** Epoch ms. */
  now = 0;
  private shownIndex: 0 | 1 = 0;
  private readonly accounts: readonly [Account, Account];
  private sent = 0;

  constructor(
    private readonly character: Character,
    readonly platform: Platform,
    policies: DayPolicies,
    private readonly wire: Wire,
  ) {
    const account = (user: string): Account => ({
      user,
      session: new Mirror(sessionIdOf(character.device, user), policies),
      lastCheckinAt: 0,
    });
    const [first, second] = character.users;
    this.accounts = [account(first), account(second)];
  }

  /** Of the account that is shown; `undefined`: nobody has signed in with it. */
  get state(): StateName | undefined {
    return this.shown.session.state;
  }

  get user(): string {
    return this.shown.user;
  }

  get lastCheckinAt(): number {
    return this.shown.lastCheckinAt;
  }

  /** The next deadline of the account that is shown, epoch ms; `null`: none is armed. */
  get nextDeadline(): number | null {
    return this.shown.session.nextDeadline;
  }

  get pinRules(): PinRules | null {
    return this.shown.session.pinRules(this.now);
  }

  /** What the account that is shown was asked since the last call. */
  takeEffects(): readonly Effect[] {
    return this.shown.session.takeEffects();
  }

  /** Lets deadlines pass and policy change until now. */
  catchUp(): void {
    this.shown.session.advance(this.now);
  }

  /** Sends an event about the account that is shown. */
  report(event: SessionEvent): void {
    this.send(event, this.now);
    this.accept(this.shown, event, this.now);
    if (event.type === "checkin.succeeded") this.shown.lastCheckinAt = this.now;
  }

  /** Sends an event that was held up on its way: what happened at `time` (epoch ms) arrives now. */
  reportLate(event: SessionEvent, time: number): void {
    this.send(event, time);
    this.accept(this.shown, event, time);
  }

  /** Shows the other account; says so, if both are signed in. */
  switchAccount(): void {
    const from = this.shown;
    this.showOther();
    const to = this.shown;
    const both = { fromAccountId: from.user, toAccountId: to.user, reason: "explicit" } as const;
    // To a session that does not exist yet its own sign-in comes next.
    const event: SessionEvent = {
      type: "account.switched",
      ...(to.session.state === undefined ? { fromAccountId: from.user } : both),
    };
    this.send(event, this.now);
    this.accept(from, { ...event, role: "from" }, this.now);
    if (event.toAccountId !== undefined) this.accept(to, { ...event, role: "to" }, this.now);
  }

  /** Somebody else takes the device in hand: no event. */
  showOther(): void {
    this.shownIndex = this.shownIndex === 0 ? 1 : 0;
  }

  private get shown(): Account {
    return this.accounts[this.shownIndex];
  }

  private send(event: SessionEvent, time: number): void {
    const { type, ...data } = event;
    const source = this.sourceOf(type);
    this.wire.send(
      {
        specversion: "1.0",
        id: `${this.character.index}-${++this.sent}`,
        source,
        type,
        subject: `${this.character.device}/${this.shown.user}/${DEFAULT_APP}`,
        time: new Date(time).toISOString(),
        datacontenttype: "application/json",
        data,
      },
      this.now,
    );
  }

  private accept({ session }: Account, event: SessionEvent, time: number): void {
    session.accept({ event, at: this.now, origin: { source: "", id: "", time, entry: "" } });
  }

  private sourceOf(type: string): string {
    const emitter = EVENTS.get(type)?.emitters[0] ?? "app";
    return emitter === "app" ? `app://${this.platform}` : SOURCES[emitter];
  }
}

const SOURCES: Readonly<Record<Exclude<Emitter, "app">, string>> = {
  service: "service://entra",
  admin: "admin://console",
  mtd: "mtd://defender",
};
