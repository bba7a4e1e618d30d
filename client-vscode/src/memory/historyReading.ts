// What a history of memory says of one moment: how much every model took, and what happened and why. Pure.

import { l10n } from "vscode";
import type { MemoryEvent } from "../server/protocol";
import { bytes, count, moment, timeOfDay } from "../window/figures";
import { markup, type Markup } from "../window/markup";
import type { Happening } from "./historyPlot";
import { longestPause, taken, type HistoryPoint, type HistorySeries } from "./historySeries";
import { kindInWords, modelName } from "./memoryHistory";

// More do not fit on the screen; the table below the picture has them all.
const mostEvents = 5;

/** What is to be said of `at`, and of what happened there if that is meant. */
export function readingAt(series: HistorySeries, at: number, happening: Happening | undefined): Markup[] {
  const point = pointAt(series, at);
  return [
    markup("p", { class: "when" }, moment(new Date(happening?.at ?? point?.at ?? at).toISOString())),
    ...happening === undefined ? [] : happened(happening.events),
    ...point === undefined
      ? [markup("p", {}, l10n.t("Nothing was recorded then: the editor was not open."))]
      : [markup("table", {}, ...figures(series, point))],
  ];
}

/** The name of a layer. */
export function layerName({ layers, others }: HistorySeries, layer: number): string {
  const id = layers[layer];
  return id === undefined ? l10n.t("{0} other models", count(others)) : modelName(id);
}

/** What was measured nearest to `at`, if anything was near. */
function pointAt({ stretches }: HistorySeries, at: number): HistoryPoint | undefined {
  let nearest: HistoryPoint | undefined;
  for (const point of stretches.flat()) {
    if (nearest === undefined || Math.abs(point.at - at) < Math.abs(nearest.at - at)) {
      nearest = point;
    }
  }

  const inside = stretches.some((stretch) => (stretch[0]?.at ?? at) - longestPause / 2 <= at && at <= (stretch.at(-1)?.at ?? at) + longestPause / 2);
  return inside ? nearest : undefined;
}

function happened(events: MemoryEvent[]): Markup[] {
  const shown = events.slice(0, mostEvents).map(({ at, kind, id, bytes: size, reason }) => markup(
    "p",
    { class: "event" },
    markup("strong", {}, `${timeOfDay(Date.parse(at))} ${modelName(id)}: ${kindInWords(kind)}${size === 0 ? "" : `, ${bytes(size)}`}.`),
    ` ${reason}`,
  ));
  return events.length <= mostEvents
    ? shown
    : [...shown, markup("p", { class: "event" }, l10n.t("And {0} more, see the table.", count(events.length - mostEvents)))];
}

function figures(series: HistorySeries, point: HistoryPoint): Markup[] {
  const models = point.layers.flatMap((size, layer) => size === 0 ? [] : [row(layerName(series, layer), bytes(size), `layer-${layer}`)]);
  return [
    ...point.used === undefined ? [] : [row(l10n.t("System memory in use"), series.total === undefined ? bytes(point.used) : l10n.t("{0} of {1}", bytes(point.used), bytes(series.total)), "used")],
    row(l10n.t("Limit of models"), bytes(point.limit), "limit"),
    ...models.length === 1 ? [] : [row(l10n.t("All models"), bytes(taken(point)), "")],
    ...models,
  ];
}

function row(name: string, size: string, sign: string): Markup {
  return markup(
    "tr",
    {},
    markup("td", {}, markup("span", { class: `swatch ${sign}`.trimEnd() })),
    markup("td", {}, `${name}:`),
    markup("td", { class: "size" }, size),
  );
}
