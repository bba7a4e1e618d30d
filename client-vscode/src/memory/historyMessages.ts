// What the page of the memory history and the extension say to each other. Types and names only.

import type { HistorySeries } from "./historySeries";

/** How far back can be looked, in hours; the server keeps a day. */
export const spans = [1, 6, 24] as const;

export type Span = typeof spans[number];

/** From the page: what it wants to show. It asks when it appears, and whenever another span is chosen. */
export interface Wish {
  hours: Span;
}

/** To the page. */
export type Answer =
  | { kind: "history"; hours: Span; series: HistorySeries; summary: string }
  /** One sentence; what is shown stays. */
  | { kind: "trouble"; message: string };

/** Whether this is a {@link Wish}. */
export function isWish(message: unknown): message is Wish {
  const { hours } = (message ?? {}) as Partial<Wish>;
  return spans.some((span) => span === hours);
}
