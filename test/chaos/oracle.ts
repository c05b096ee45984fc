/**
 * The second oracle: where a session stands and whether it has access, worked out from docs/domain.md's tables by hand, without the chart, its
 * guards or its facts. It knows the events that the chaos run sends, under the policies that are in force there: a PIN is asked for, an old
 * system waits for an update, a bad verdict of the service signs out because remediation is off. Two accounts that agree are worth more
 * than one that agrees with itself.
 */

/** What the run tells of a session. Whoever sends an event waits until it is accepted, so this is also the order in which they count. */
export type ChaosEvent =
  | { readonly type: "account.signedIn" }
  | { readonly type: "account.signedOut" }
  | { readonly type: "session.signOutForced" }
  | { readonly type: "enrollment.completed" }
  | { readonly type: "posture.reported"; readonly systemIsOld: boolean }
  | { readonly type: "compliance.evaluated"; readonly compliant: boolean }
  | { readonly type: "pin.set" }
  | { readonly type: "pin.verified" }
  | { readonly type: "pin.rejected"; readonly failedAttempts: number }
  | { readonly type: "pin.resetRequested" }
  | { readonly type: "auth.succeeded" }
  | { readonly type: "token.revoked" }
  | { readonly type: "app.backgrounded" | "app.foregrounded" | "checkin.succeeded" | "connectivity.lost" }
  | { readonly type: "wipe.requested"; readonly requestId: string }
  | { readonly type: "wipe.completed"; readonly requestId: string };

export type ChaosState = "none" | "unenrolled" | "pinSetup" | "locked" | "active" | "noncompliant" | "signedOut";

/** Wrong PINs after which a new one has to be set. */
const MOST_WRONG_PINS = 5;

export class Oracle {
  state: ChaosState = "none";
  #enrolled = false;
  #posture: "unknown" | "fine" | "old" = "unknown";
  #verdictIsBad = false;
  #pin: "none" | "set" | "reset" = "none";
  #wrongPins = 0;
  /** A PIN was entered since the last sign-in. */
  #proven = false;
  #signInIsDue = false;
  #wipe: { readonly requestId: string; readonly status: "pending" | "done"; readonly asked: boolean } | undefined;

  get hasAccess(): boolean {
    return this.state === "active";
  }

  take(event: ChaosEvent): void {
    if (this.state === "none" && event.type !== "account.signedIn") return;
    if (this.state === "signedOut") this.#whileSignedOut(event);
    else this.#whileSignedIn(event);
  }

  #whileSignedOut(event: ChaosEvent): void {
    switch (event.type) {
      case "account.signedIn":
        // Only a wipe that somebody asked for stands in the way.
        if (this.#wipe?.status === "pending" && this.#wipe.asked) return;
        this.#wipe = undefined;
        this.#begin();
        return;
      case "wipe.requested":
        this.#ask(event.requestId);
        return;
      case "wipe.completed":
        this.#wiped(event.requestId);
        return;
      case "posture.reported":
        this.#posture = event.systemIsOld ? "old" : "fine";
        return;
      case "compliance.evaluated":
        this.#verdictIsBad = !event.compliant;
        return;
      default:
        return;
    }
  }

  #whileSignedIn(event: ChaosEvent): void {
    switch (event.type) {
      case "account.signedIn":
        if (!this.#enrolled || this.state === "none" || this.state === "unenrolled") this.#begin();
        else {
          this.#afterSignIn();
          this.#settle();
        }
        return;
      case "account.signedOut":
        // Its data go with it, which nobody asked for.
        if (this.#enrolled && this.#wipe?.status !== "pending")
          this.#wipe = { requestId: "", status: "pending", asked: false };
        this.#signOut();
        return;
      case "session.signOutForced":
        this.#signOut();
        return;
      case "wipe.requested":
        this.#ask(event.requestId);
        this.#signOut();
        return;
      case "wipe.completed":
        // A session at work has none that waits.
        return;
      case "enrollment.completed":
        this.#enrolled = true;
        this.#settle();
        return;
      case "posture.reported":
        this.#posture = event.systemIsOld ? "old" : "fine";
        this.#settle();
        return;
      case "compliance.evaluated":
        this.#verdictIsBad = !event.compliant;
        this.#settle();
        return;
      case "auth.succeeded":
        this.#signInIsDue = false;
        this.#settle();
        return;
      case "token.revoked":
        this.#signInIsDue = true;
        this.#settle();
        return;
      case "pin.set":
        if (this.state !== "pinSetup" || this.#signInIsDue) return;
        this.#pin = "set";
        this.#wrongPins = 0;
        this.#proven = true;
        this.#settle();
        return;
      case "pin.verified":
        if (this.state !== "locked") return;
        this.#proven = true;
        this.#wrongPins = 0;
        this.#settle();
        return;
      case "pin.rejected":
        if (this.state !== "locked") return;
        this.#wrongPins = Math.max(event.failedAttempts, this.#wrongPins + 1);
        if (this.#wrongPins < MOST_WRONG_PINS) return;
        this.#resetPin();
        return;
      case "pin.resetRequested":
        if (this.state === "locked" || this.state === "active") this.#resetPin();
        return;
      default:
        return;
    }
  }

  #begin(): void {
    this.state = "unenrolled";
    this.#enrolled = false;
    this.#afterSignIn();
  }

  #afterSignIn(): void {
    this.#proven = false;
    this.#wrongPins = 0;
    this.#signInIsDue = false;
  }

  #resetPin(): void {
    this.#pin = "reset";
    this.#proven = false;
    this.#signInIsDue = true;
    this.#settle();
  }

  #ask(requestId: string): void {
    this.#wipe = { requestId, status: "pending", asked: true };
  }

  #wiped(requestId: string): void {
    if (this.#wipe?.requestId !== requestId) return;
    this.#wipe = { ...this.#wipe, status: "done" };
    this.#pin = "none";
  }

  #signOut(): void {
    this.state = "signedOut";
    this.#proven = false;
    this.#signInIsDue = false;
  }

  /** The ladder. */
  #settle(): void {
    if (!this.#enrolled) this.state = "unenrolled";
    else if (this.#verdictIsBad) this.#signOut();
    else if (this.#posture === "old") this.state = "noncompliant";
    else if (this.#pin !== "set") this.state = "pinSetup";
    else if (!this.#proven || this.#signInIsDue || this.#posture === "unknown") this.state = "locked";
    else this.state = "active";
  }
}
