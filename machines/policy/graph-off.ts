/** Graph says "this setting is off" in many ways. Which of them a property knows, its reader decides. */
const OFF_TEXTS: ReadonlySet<string> = new Set(["", "0000-00-00", "notConfigured", "none"]);

/** Whether a value that is present means "off". A duration of no length and a count of 0 days are told by their readers. */
export function isOff(raw: unknown): boolean {
  return raw === null || (typeof raw === "string" && OFF_TEXTS.has(raw.trim()));
}
