/** A Graph document as JSON: what every reader of one needs. */

export type GraphDocument = Readonly<Record<string, unknown>>;

export const isDocument = (value: unknown): value is GraphDocument =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The document's own member: a name from outside never reaches a prototype. */
export const own = (document: GraphDocument, key: string): unknown =>
  Object.hasOwn(document, key) ? document[key] : undefined;

/** The short name of a document's type, `iosManagedAppProtection`; `undefined`: it names none. */
export function graphType(document: GraphDocument): string | undefined {
  const type = own(document, "@odata.type");
  return typeof type === "string" ? type.replace(/^#/, "").replace(/^microsoft\.graph\./, "") : undefined;
}

/** OData's own decoration: `@odata.id`, `name@odata.type`, `#microsoft.graph.assign`. */
export const isDecoration = (key: string): boolean => key.includes("@") || key.startsWith("#");

/** The texts of a list; anything else in it, or a value that is no list, is left out. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
