// The script of the memory history's page: makes elements of what the pure files decide, and follows pointer, keyboard and
// width. Asks the extension for the history and knows nothing of the server.

import { l10n } from "vscode";
import { isWish, spans, type Answer, type Span, type Wish } from "../historyMessages";
import { beginning, eventTable, legend, spanChoice } from "../historyPage";
import { happeningsOf, historyPlot, scaleOf, timeOf, xOf, type Happening, type Scale } from "../historyPlot";
import { readingAt } from "../historyReading";
import { fittingSpan, type HistorySeries } from "../historySeries";
import { markup, textOf, type Markup } from "../../window/markup";

declare function acquireVsCodeApi(): { postMessage(message: Wish): void; getState(): unknown; setState(state: Wish): void };

const plotHeight = 320;
const leastWidth = 320;
// How near the pointer must be to a mark, in pixels.
const reach = 9;

const editor = acquireVsCodeApi();
const kept = editor.getState();
let isChosen = isWish(kept);
let hours: Span = isWish(kept) ? kept.hours : spans[spans.length - 1] ?? 24;

let series: HistorySeries | undefined;
let scale: Scale | undefined;
let happenings: Happening[] = [];
// Where the reading is taken; undefined when nothing is pointed at.
let cursor: { at: number; happening: Happening | undefined } | undefined;

const trouble = append(document.body, markup("p", { class: "trouble", role: "alert", hidden: "" }));
append(document.body, markup("h1", {}, l10n.t("Memory History")));
const choice = append(document.body, spanChoice(hours));
const summary = append(document.body, markup("p", { class: "summary" }, l10n.t("Reading the history…")));
const plot = append(document.body, markup("div", {
  class: "plot", hidden: "", tabindex: 0, role: "slider", "aria-label": l10n.t("Memory over time"), "aria-describedby": "keys", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 100,
}));
const picture = append(plot, markup("div", {}));
const line = append(plot, markup("div", { class: "cursor", hidden: "" }));
const reading = append(plot, markup("div", { class: "reading", hidden: "" }));
append(document.body, markup("p", { id: "keys", class: "keys" }, l10n.t("Arrow keys move through time, Page Up and Page Down from event to event, Escape hides the figures.")));
const signs = append(document.body, markup("ul", { class: "legend" }));
const table = append(document.body, markup("div", { class: "table" }));

window.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  if (data.kind === "trouble") {
    say(data.message);
  } else if (data.hours === hours) {
    say("");
    const fitting = isChosen ? hours : fittingSpan(data.series);
    if (fitting !== hours) {
      // Of a day that has just begun there would be little to see. From here on the page stays with it.
      isChosen = true;
      hours = fitting;
      for (const input of choice.querySelectorAll("input")) {
        input.checked = Number(input.value) === hours;
      }

      editor.postMessage({ hours });
      return;
    }

    show(data.series, data.summary);
  }
});

choice.addEventListener("change", ({ target }) => {
  const wish = { hours: Number((target as HTMLInputElement).value) };
  if (isWish(wish)) {
    isChosen = true;
    hours = wish.hours;
    editor.setState(wish);
    editor.postMessage(wish);
  }
});

new ResizeObserver(() => draw()).observe(document.body);

plot.addEventListener("pointermove", (event) => {
  const x = event.clientX - plot.getBoundingClientRect().left;
  if (scale !== undefined && scale.left - reach <= x && x <= scale.right + reach) {
    point(timeOf(scale, x), happenings.find((happening) => Math.abs(happening.x - x) <= reach));
  }
});
plot.addEventListener("pointerleave", () => point(undefined));
plot.addEventListener("focus", () => {
  if (plot.matches(":focus-visible")) {
    point(cursor?.at ?? series?.to);
  }
});
plot.addEventListener("blur", () => point(undefined));
plot.addEventListener("keydown", (event) => {
  const moved = moves[event.key];
  if (moved !== undefined && series !== undefined) {
    event.preventDefault();
    moved(series, cursor?.at ?? series.to);
  }
});
// Also for who only points: what covers the picture must go without moving the pointer.
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") {
    point(undefined);
  }
});

const moves: Record<string, (of: HistorySeries, at: number) => void> = {
  ArrowLeft: ({ from, to }, at) => point(Math.max(from, at - (to - from) / 100)),
  ArrowRight: ({ from, to }, at) => point(Math.min(to, at + (to - from) / 100)),
  Home: ({ from }) => point(from),
  End: ({ to }) => point(to),
  PageUp: (_, at) => pointAtHappening(happenings.findLast((happening) => happening.at < at)),
  PageDown: (_, at) => pointAtHappening(happenings.find((happening) => at < happening.at)),
};

editor.postMessage({ hours });

function say(message: string): void {
  trouble.textContent = message;
  trouble.hidden = message === "";
}

function show(of: HistorySeries, sentences: string): void {
  series = of;
  const isEmpty = of.stretches.length === 0 && of.events.length === 0;
  summary.textContent = isEmpty
    ? l10n.t("Nothing is recorded for this time yet. While the editor is open, memory is noted every 30 seconds; it shows up here by itself.")
    : `${sentences} ${beginning(of)}`;
  plot.hidden = isEmpty;
  fill(signs, legend(of));
  fill(table, eventTable(of.events));
  draw();
}

function draw(): void {
  if (series === undefined || plot.hidden) {
    return;
  }

  scale = scaleOf(series, Math.max(leastWidth, plot.clientWidth), plotHeight);
  happenings = happeningsOf(series, scale);
  fill(picture, [historyPlot(series, scale, happenings)]);
  if (cursor !== undefined) {
    const { at, happening } = cursor;
    point(at, happening === undefined ? undefined : happenings.find((other) => other.at === happening.at));
  }
}

function pointAtHappening(happening: Happening | undefined): void {
  if (happening !== undefined) {
    point(happening.at, happening);
  }
}

function point(at: number | undefined, happening?: Happening): void {
  cursor = at === undefined ? undefined : { at: happening?.at ?? at, happening };
  line.hidden = reading.hidden = cursor === undefined;
  if (cursor === undefined || series === undefined || scale === undefined) {
    return;
  }

  const said = readingAt(series, cursor.at, happening);
  fill(reading, said);
  plot.setAttribute("aria-valuetext", said.map(textOf).join(" "));
  plot.setAttribute("aria-valuenow", String(Math.round((cursor.at - series.from) / (series.to - series.from) * 100)));

  const x = xOf(scale, cursor.at);
  line.style.left = `${x}px`;
  // Beside the line, on the side where there is room.
  const width = reading.offsetWidth;
  const right = x + 12;
  reading.style.left = `${right + width <= scale.width ? right : Math.max(0, x - 12 - width)}px`;
}

function fill(element: Element, parts: Markup[]): void {
  element.replaceChildren(...parts.map((part) => made(part)));
}

function append(parent: Element, part: Markup): HTMLElement {
  return parent.appendChild(made(part) as HTMLElement);
}

function made({ tag, attributes, children }: Markup, within?: string): Element {
  const space = tag === "svg" ? "http://www.w3.org/2000/svg" : within ?? "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }

  element.append(...children.map((child) => typeof child === "string" ? child : made(child, space)));
  return element;
}
