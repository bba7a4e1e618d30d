// Text that others wrote, made safe to stand inside Markdown.

/** `text` so that Markdown shows it as it is, on one line. Addresses become no links: they would swallow what is escaped. */
export function escaped(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]()#+\-.!|<>~&$:@]/g, "\\$&");
}

/** The row of a table. */
export function tableRow(cells: string[]): string {
  return `| ${cells.map(escaped).join(" | ")} |`;
}

/** `text` as a code block, whatever it contains. */
export function codeBlock(text: string): string {
  // CommonMark: a fence ends only at a fence at least as long.
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
