// What stands around the picture of a history of memory: the choice of a span, the legend, the table of events. Pure.

import { l10n } from "vscode";
import type { MemoryEvent } from "../server/protocol";
import { bytes, count, moment } from "../window/figures";
import { attributeText, markup, type Markup } from "../window/markup";
import { spans, type Span } from "./historyMessages";
import { gaps, mark } from "./historyPlot";
import { layerName } from "./historyReading";
import { firstRecorded, longestPause, type HistorySeries } from "./historySeries";
import { kindInWords, modelName } from "./memoryHistory";

// A page of thousands of rows is slow, and nobody reads it.
const mostRows = 200;

interface Shell {
  /** Where the editor serves files of the extension from. */
  cspSource: string;
  script: string;
  style: string;
  nonce: string;
  language: string;
  /** Sentences in the user's language by the English ones. */
  translations: Record<string, string>;
}

/** The document that the page's script fills. It may load its own two files and nothing else. */
export function historyDocument({ cspSource, script, style, nonce, language, translations }: Shell): string {
  const title = attributeText(l10n.t("Memory History"));
  return `<!DOCTYPE html>
<html lang="${attributeText(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${attributeText(cspSource)}; script-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${attributeText(style)}">
<title>${title}</title>
</head>
<body data-translations="${attributeText(JSON.stringify(translations))}">
<script nonce="${nonce}" src="${attributeText(script)}"></script>
</body>
</html>
`;
}

/** The choice of how far back to look. */
export function spanChoice(chosen: Span): Markup {
  return markup("fieldset", {}, markup("legend", {}, l10n.t("Period")), ...spans.map((hours) => markup(
    "label",
    {},
    markup("input", { type: "radio", name: "hours", value: hours, ...hours === chosen ? { checked: "" } : {} }),
    hours === 1 ? l10n.t("1 hour") : l10n.t("{0} hours", count(hours)),
  )));
}

/** Since when something is recorded, if that is not from the start; else empty. */
export function beginning(series: HistorySeries): string {
  const first = firstRecorded(series);
  return first === Infinity || first <= series.from + longestPause
    ? ""
    : l10n.t("Before {0} nothing was recorded.", moment(new Date(first).toISOString()));
}

/** Which sign means what, of those that are in the picture. */
export function legend(series: HistorySeries): Markup[] {
  const layers = series.layers.length + (series.others === 0 ? 0 : 1);
  const isMeasured = series.stretches.length !== 0;
  const kinds = [...new Set(series.events.map(({ kind }) => kind))];
  return [
    ...Array.from({ length: layers }, (_, layer) => entry(swatch(`layer-${layer}`), layerName(series, layer))),
    ...series.stretches.flat().some(({ used }) => used !== undefined) ? [entry(swatch("used"), l10n.t("System memory in use"))] : [],
    ...isMeasured ? [entry(swatch("limit"), l10n.t("Limit of models"))] : [],
    ...gaps(series).length === 0 ? [] : [entry(swatch("gap"), l10n.t("nothing recorded"))],
    ...kinds.map((kind) => entry(markup("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, mark(kind)), kindInWords(kind))),
  ];
}

/** What happened, the latest first: it is what the user has just seen. */
export function eventTable(events: MemoryEvent[]): Markup[] {
  if (events.length === 0) {
    return [];
  }

  const heading = [l10n.t("When"), l10n.t("What"), l10n.t("Model"), l10n.t("Size"), l10n.t("Why")];
  const shown = events.slice(-mostRows).reverse();
  return [
    markup(
      "table",
      { class: "events" },
      markup("caption", {}, shown.length === events.length
        ? l10n.t("What happened")
        : l10n.t("What happened: the last {0} of {1} events", count(shown.length), count(events.length))),
      markup("thead", {}, markup("tr", {}, ...heading.map((text) => markup("th", { scope: "col" }, text)))),
      markup("tbody", {}, ...shown.map(({ at, kind, id, bytes: size, reason }) => markup(
        "tr",
        {},
        markup("td", { class: "when" }, moment(at)),
        markup("td", {}, kindInWords(kind)),
        markup("td", {}, modelName(id)),
        markup("td", { class: "size" }, size === 0 ? "" : bytes(size)),
        markup("td", {}, reason),
      ))),
    ),
  ];
}

function entry(sign: Markup, text: string): Markup {
  return markup("li", {}, sign, text);
}

function swatch(name: string): Markup {
  return markup("span", { class: `swatch ${name}` });
}
