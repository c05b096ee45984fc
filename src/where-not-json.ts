/** What is wrong with a text that `JSON.parse` refused. Its own message may quote what it read, and what it read may be a secret. */
export function whereNotJson(error: unknown): string {
  const { message } = error as SyntaxError;
  const position = / at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return `not JSON, from character ${Number(position) + 1} on`;
  return message.startsWith("Unexpected end") ? "JSON that is cut off" : "not JSON";
}
