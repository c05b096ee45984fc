/** Deadlines that passed. The fold makes these from the chart's own delays; from outside they are refused. */
import { NoData } from "./fields.js";
import { defineOwnEvent } from "./define-event.js";

export const accessRecheckDue = defineOwnEvent({
  type: "access.recheckDue",
  meaning: "The app was out of the foreground for the recheck interval: proof is stale.",
  data: NoData,
});

export const pinExpired = defineOwnEvent({
  type: "pin.expired",
  meaning: "The PIN reached its greatest age.",
  data: NoData,
});

export const biometricTimedOut = defineOwnEvent({
  type: "biometric.timedOut",
  meaning: "After this inactivity only the PIN counts, no biometric.",
  data: NoData,
});

export const offlineGraceExpired = defineOwnEvent({
  type: "offlineGrace.expired",
  meaning: "No check-in for so long that access is blocked.",
  data: NoData,
});

export const offlineWipeDue = defineOwnEvent({
  type: "offlineWipe.due",
  meaning: "No check-in for so long that the person must sign in again, or the data is wiped.",
  data: NoData,
});

export const integrityGraceExpired = defineOwnEvent({
  type: "integrityGrace.expired",
  meaning: "The last integrity verdict is too old to count while new requests fail.",
  data: NoData,
});

export const shiftGraceExpired = defineOwnEvent({
  type: "shiftGrace.expired",
  meaning: "The grace after the end of the shift is over.",
  data: NoData,
});

export const checkinRetryDue = defineOwnEvent({
  type: "checkin.retryDue",
  meaning: "A failed enrollment or check-in is to be tried again.",
  data: NoData,
});

export const remediationTimedOut = defineOwnEvent({
  type: "remediation.timedOut",
  meaning: "A remediation attempt got no answer in time.",
  data: NoData,
});

export const remediationRetryDue = defineOwnEvent({
  type: "remediation.retryDue",
  meaning: "The pause before the next remediation attempt is over.",
  data: NoData,
});
