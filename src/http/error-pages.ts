/** A page for each error code, from docs/errors.md: where a problem's `type` leads. */
import { readFileSync } from "node:fs";

interface DocumentedError {
  readonly code: string;
  /** Cells of the row, by the column's heading. */
  readonly cells: ReadonlyMap<string, string>;
}

const DOCUMENT = new URL("../../docs/errors.md", import.meta.url);

function readErrors(text: string): Map<string, DocumentedError> {
  const errors = new Map<string, DocumentedError>();
  let headings: string[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("|")) continue;
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
    const [, code] = /^`([a-z]+(?:\.[a-z_]+)?)`$/.exec(cells[0] ?? "") ?? [];
    if (cells.every((cell) => /^-+$/.test(cell))) continue;
    if (code === undefined) headings = cells;
    else errors.set(code, { code, cells: new Map(cells.slice(1).map((cell, n) => [headings[n + 1] ?? "", cell])) });
  }
  return errors;
}

let errors: ReadonlyMap<string, DocumentedError> | undefined;

/** Plain text; `undefined`: there is no such code. */
export function errorPage(code: string): string | undefined {
  errors ??= readErrors(readFileSync(DOCUMENT, "utf8"));
  const error = errors.get(code);
  if (error === undefined) return undefined;
  return [code, "", ...[...error.cells].map(([heading, cell]) => `${heading}: ${cell}`), ""].join("\n");
}
