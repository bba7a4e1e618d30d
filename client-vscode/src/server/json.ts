// JSON as it comes from the server, made to fit protocol.ts. Pure.

/**
 * `value` without the members that are null. The server writes null for what it does not know, or leaves the member out;
 * for readers behind this line there is one way only. What is null as a whole, or in a list, stays.
 */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutNulls);
  }

  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]))
    : value;
}
