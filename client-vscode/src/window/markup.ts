// Elements of a page as plain data. What is text stays text, whatever it holds: nothing is ever parsed. Pure; a page's own
// script makes elements of it.

export interface Markup {
  tag: string;
  attributes: Record<string, string>;
  children: (Markup | string)[];
}

export function markup(tag: string, attributes: Record<string, string | number>, ...children: (Markup | string)[]): Markup {
  return { tag, attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)])), children };
}

/** What of `part` is to be read, a blank between elements. */
export function textOf(part: Markup | string): string {
  return typeof part === "string" ? part : part.children.map(textOf).filter((text) => text !== "").join(" ");
}

/** `text` where HTML expects the value of an attribute in double quotes. */
export function attributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("\"", "&quot;").replaceAll("<", "&lt;");
}
