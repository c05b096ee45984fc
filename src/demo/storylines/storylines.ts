/** Every storyline's script, by name. */
import type { StorylineName } from "../cast.js";
import type { Person, Script } from "../person.js";
import { handsOver, isDisabled, isForcedOut, losesLicense, switchesAccounts, unlicensed } from "./accounts.js";
import { changesPassword, forgetsPin, isDeniedByConditionalAccess, startsWithTrouble } from "./credentials.js";
import { catchesMalware, jailbreaks, losesPhone, outOfReach } from "./devices.js";
import { ordinary } from "./ordinary.js";
import { cannotUpdate, neverAnswers, updatesInTime } from "./outdated.js";

export const STORYLINES: Readonly<Record<StorylineName, (person: Person) => Script>> = {
  ordinary,
  updatesInTime,
  cannotUpdate,
  neverAnswers,
  jailbreaks,
  catchesMalware,
  forgetsPin,
  losesPhone,
  outOfReach,
  switchesAccounts,
  handsOver,
  unlicensed,
  losesLicense,
  isDisabled,
  changesPassword,
  isForcedOut,
  isDeniedByConditionalAccess,
  startsWithTrouble,
};
