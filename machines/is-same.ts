/** Whether two values say the same, as JSON would tell them. */

/** Whatever the order of their fields: a fact that was stored in between has them in another. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const fields = Object.keys(one).filter((field) => one[field as never] !== undefined);
  const others = Object.keys(other).filter((field) => other[field as never] !== undefined);
  return fields.length === others.length && fields.every((field) => isSame(one[field as never], other[field as never]));
}
