/**
 * What the person is told, by message key. Texts are plain sentences with `{placeholders}` that an effect's data fills.
 * A tenant's own texts and languages replace these; the keys stay.
 */
export const MESSAGES = {
  intro: "Your organisation now protects its data in this app. This device has been checked; next you choose a PIN.",
  restartRequired: "Restart the app to finish setting up protection.",
  signInToManage: "Sign in with your work account so that the app can be managed.",
  pinSetup: "Choose a PIN for this app: {rules}.",
  pinInvalid: "That PIN can't be used: {violations}.",
  pinEnter: "Enter your PIN.",
  pinWrong: "That PIN is wrong. Tries left: {triesLeft}.",
  "pinReset.attempts": "Too many wrong PINs. Sign in, then choose a new PIN.",
  "pinReset.expired": "Your PIN has reached its age limit. Choose a new one.",
  "pinReset.rules": "Your organisation's rules for PINs changed. Choose a new one.",
  "pinReset.requested": "Sign in, then choose a new PIN.",
  credentialsEnter: "Sign in with your work account to go on.",
  "warn.version": "Update {what}: it is {actual}, and your organisation asks for {expected}.",
  "warn.device": "This device does not meet a rule of your organisation: {what}.",
  "warn.offShift": "You are outside working hours.",
  "warn.account": "Your account could not be confirmed. Contact your IT support.",
  "blocked.version": "Access is blocked until you update {what}: it is {actual}, but must be {expected}.",
  "blocked.device":
    "Access is blocked: this device does not meet your organisation's rules ({what}). Personal use is not affected.",
  "blocked.compliance": "Access is blocked: your account or device does not meet your organisation's rules.",
  "blocked.offline": "Access is blocked until the app reaches your organisation again. Connect to the internet.",
  "blocked.offlineWipe":
    "The app has been offline for very long. Connect and sign in, or your organisation's data is removed.",
  "blocked.offShift": "Access resumes with your next shift.",
  "blocked.account": "Your work account can't be used. Contact your IT support.",
  companyPortalRequired: "Install Company Portal from the store, then try again.",
  wrongUser: "Only one work account can be managed in this app. Remove the other one, or use it.",
  remediating: "Checking access. Please wait.",
  signInRequired: "You were signed out because this account does not meet your organisation's rules. Sign in again.",
  signedOutByOrganisation: "Your organisation signed you out. Sign in again.",
  signedOut: "You are signed out.",
  wiped: "Your organisation removed its data from this app.",
  tryLater: "This is not possible right now. Try again later.",
  notSetUp: "Your account or this app is not set up. Contact your IT support.",
  accessGranted: "You have access.",
  unmanaged: "This app is not managed for your account.",
  checking: "Setting up protection for your work account.",
  membershipUnknown: "Waiting to learn which rules of your organisation apply to your account.",
  deviceUnknown: "Waiting for this device to report its state.",
  quarantined: "Access can't be confirmed right now. Contact your IT support.",
} as const;
export type MessageKey = keyof typeof MESSAGES;

/** Values for a message's placeholders. */
export type MessageData = Readonly<Record<string, string | number>>;

/** A tenant's own texts, in one language; a message without one keeps the text above. */
export type MessageTexts = Readonly<Partial<Record<MessageKey, string>>>;

/**
 * The texts for a language tag: those of the tag itself, laid over those of the language alone (`de` under `de-AT`). Tags are compared
 * without regard to case.
 */
export function textsFor(messages: Readonly<Record<string, MessageTexts>>, language: string | undefined): MessageTexts {
  if (language === undefined) return {};
  const tag = language.toLowerCase();
  const texts = (name: string): MessageTexts | undefined =>
    Object.entries(messages).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
  return { ...texts(tag.split("-", 1)[0] as string), ...texts(tag) };
}

/** The text of a message with its placeholders filled; one that has no value stays as it is written. */
export function messageText(key: MessageKey, data: MessageData = {}, texts: MessageTexts = {}): string {
  return (texts[key] ?? MESSAGES[key]).replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    String(data[name] ?? placeholder),
  );
}
