// The picture of a history of memory: areas of models, lines of what is in use and what is allowed, marks of what happened.
// Pure: from figures to elements. Colors are in page.css, words beside the picture in historyPage.ts.

import type { MemoryEvent } from "../server/protocol";
import { bytes, dayOfMonth, gigabytes, timeOfDay } from "../window/figures";
import { markup, type Markup } from "../window/markup";
import { longestPause, taken, type HistoryPoint, type HistorySeries } from "./historySeries";

/** Where the plot lies in its picture, in pixels, and what its sides stand for. */
export interface Scale {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  from: number;
  to: number;
  /** Bytes at the top. */
  ceiling: number;
}

/** What happened at about the same time, as one mark. */
export interface Happening {
  /** When the first of it happened. */
  at: number;
  x: number;
  /** What is worst of it. */
  kind: string;
  /** The oldest first. */
  events: MemoryEvent[];
}

const gigabyte = 1024 ** 3;
// How long a sample counts.
const sampling = 30_000;
const markSpacing = 14;
const minuteSteps = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720];

// The worst first: of many marks in one place it must not be hidden.
const kindsByGravity = ["crash", "refuse", "evict", "unload", "expire", "load"];

export function scaleOf(series: HistorySeries, width: number, height: number): Scale {
  const points = series.stretches.flat();
  const highest = points.reduce((top, point) => Math.max(top, taken(point), point.used ?? 0), 0);
  const allowed = points.reduce((top, { limit }) => Math.max(top, limit), 0);
  // A limit above all that the machine has is drawn at the top: the models matter, not the air above them.
  const ceiling = Math.max(highest, series.total ?? Math.max(allowed, highest) * 1.1);
  return { width, height, left: 60, right: width - 58, top: 30, bottom: height - 26, from: series.from, to: series.to, ceiling: ceiling <= 0 ? gigabyte : ceiling };
}

export function xOf({ left, right, from, to }: Scale, at: number): number {
  return left + (at - from) / (to - from) * (right - left);
}

export function timeOf({ left, right, from, to }: Scale, x: number): number {
  return from + Math.min(1, Math.max(0, (x - left) / (right - left))) * (to - from);
}

/** Events whose marks would lie on one another, together. */
export function happeningsOf({ events }: HistorySeries, scale: Scale): Happening[] {
  const happenings: Happening[] = [];
  for (const event of events) {
    const at = Date.parse(event.at);
    const x = xOf(scale, at);
    const last = happenings.at(-1);
    if (last !== undefined && x < last.x + markSpacing) {
      last.events.push(event);
      last.kind = worse(last.kind, event.kind);
    } else {
      happenings.push({ at, x, kind: event.kind, events: [event] });
    }
  }

  return happenings;
}

/** The picture. It is for eyes: what it shows is read out by historyReading.ts. */
export function historyPlot(series: HistorySeries, scale: Scale, happenings: Happening[]): Markup {
  return markup(
    "svg",
    { width: scale.width, height: scale.height, viewBox: `0 0 ${scale.width} ${scale.height}`, "aria-hidden": "true" },
    markup("defs", {}, hatching()),
    ...gaps(series).map(([begin, end]) => gap(scale, begin, end)),
    ...memoryAxis(scale),
    ...timeAxis(scale),
    ...series.stretches.flatMap((stretch) => areas(stretch, scale)),
    ...series.stretches.flatMap((stretch) => inUse(stretch, scale)),
    ...series.stretches.map((stretch) => limit(stretch, scale)),
    ...limitLabel(series, scale),
    ...happenings.flatMap((happening) => placedMark(happening, scale)),
  );
}

/** When nothing was recorded, if that is not all the time. */
export function gaps({ from, to, stretches }: HistorySeries): [begin: number, end: number][] {
  const between: [number, number][] = [];
  let begun = from;
  for (const stretch of stretches) {
    between.push([begun, stretch[0]?.at ?? begun]);
    begun = (stretch.at(-1)?.at ?? begun) + sampling;
  }

  between.push([begun, to]);
  return stretches.length === 0 ? [] : between.filter(([begin, end]) => longestPause - sampling < end - begin);
}

/** The sign of a kind of event around the origin. Told apart by their shapes, too. */
export function mark(kind: string): Markup {
  const path = (d: string): Markup => markup("path", { class: `mark mark-${known(kind)}`, d });
  switch (kind) {
    case "load":
      return path("M0 -5L5 4H-5Z");
    case "unload":
      return path("M0 5L5 -4H-5Z");
    case "evict":
      return path("M0 -6L6 0L0 6L-6 0Z");
    case "refuse":
      return path("M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0M-3.5 3.5L3.5 -3.5");
    case "crash":
      return path("M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5");
    default:
      return path("M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0");
  }
}

// ---- Axes ----

function memoryAxis(scale: Scale): Markup[] {
  let step = 0.25;
  while (6 < scale.ceiling / gigabyte / step) {
    step *= 2;
  }

  const lines: Markup[] = [];
  for (let value = 0; value * gigabyte <= scale.ceiling; value += step) {
    const y = rounded(yOf(scale, value * gigabyte));
    lines.push(
      markup("path", { class: value === 0 ? "axis" : "grid", d: `M${scale.left} ${y}H${scale.right}` }),
      markup("text", { class: "tick", x: scale.left - 8, y: y + 4, "text-anchor": "end" }, gigabytes(value, step < 1 ? 2 : 0)),
    );
  }

  return lines;
}

function timeAxis(scale: Scale): Markup[] {
  const mostLabels = Math.max(1, (scale.right - scale.left) / 76);
  const step = minuteSteps.find((minutes) => (scale.to - scale.from) / 60_000 / minutes <= mostLabels) ?? 720;
  const granule = 300_000;
  const ticks: Markup[] = [];
  for (let at = Math.ceil(scale.from / granule) * granule; at <= scale.to; at += granule) {
    // Asked of every five minutes, so that days with a change of the clock have round hours too.
    const local = new Date(at);
    const minutes = local.getHours() * 60 + local.getMinutes();
    if (minutes % step !== 0) {
      continue;
    }

    const x = rounded(xOf(scale, at));
    ticks.push(
      markup("path", { class: "axis", d: `M${x} ${scale.bottom}v5` }),
      // Half a label would lie outside.
      ...x < scale.left + 10 || scale.right - 22 < x
        ? []
        : [markup("text", { class: minutes === 0 ? "tick day" : "tick", x, y: scale.bottom + 19, "text-anchor": "middle" }, minutes === 0 ? dayOfMonth(at) : timeOfDay(at))],
    );
  }

  return ticks;
}

// ---- What was measured ----

function hatching(): Markup {
  return markup("pattern", { id: "hatching", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, markup("path", { class: "hatch", d: "M0 0V6" }));
}

function gap(scale: Scale, begin: number, end: number): Markup {
  const x = rounded(xOf(scale, begin));
  return markup("rect", { class: "gap", x, y: scale.top, width: rounded(xOf(scale, end) - x), height: scale.bottom - scale.top });
}

interface Place {
  x: number;
  low: number;
  high: number;
}

function areas(stretch: HistoryPoint[], scale: Scale): Markup[] {
  const count = stretch[0]?.layers.length ?? 0;
  return Array.from({ length: count }, (_, layer) => layer).flatMap((layer) => {
    // The smallest lies lowest: it is mostly the user's own model, which stays, and what comes and goes is above it.
    const below = ({ layers }: HistoryPoint): number => layers.slice(layer + 1).reduce((sum, size) => sum + size, 0);
    return runs(places(stretch, scale).map(([x, point]) => ({
      x,
      low: yOf(scale, below(point)),
      high: yOf(scale, below(point) + (point.layers[layer] ?? 0)),
    }))).flatMap((run) => {
      const edge = path(run.map(({ x, high }) => [x, high]));
      const way = path(run.map(({ x, low }): [number, number] => [x, low]).reverse());
      return [
        markup("path", { class: `area layer-${layer}`, d: `${edge}L${way.slice(1)}Z` }),
        // A model of a few megabytes is less than a pixel high, and there all the same.
        markup("path", { class: `edge layer-${layer}`, d: edge }),
      ];
    });
  });
}

// Where there is nothing of a layer, there is nothing to draw but the way there and back.
function runs(all: Place[]): Place[][] {
  const found: Place[][] = [];
  let run: Place[] = [];
  let before: Place | undefined;
  for (const place of all) {
    const isThere = place.high < place.low;
    if (isThere && run.length === 0 && before !== undefined) {
      run.push(before);
    }

    if (isThere || run.length !== 0) {
      run.push(place);
    }

    if (!isThere && run.length !== 0) {
      found.push(run);
      run = [];
    }

    before = place;
  }

  return run.length === 0 ? found : [...found, run];
}

function inUse(stretch: HistoryPoint[], scale: Scale): Markup[] {
  const known = stretch.filter(({ used }) => used !== undefined);
  return known.length === 0
    ? []
    : [markup("path", { class: "used", d: path(places(known, scale).map(([x, { used }]) => [x, yOf(scale, used ?? 0)])) })];
}

function limit(stretch: HistoryPoint[], scale: Scale): Markup {
  // A limit is set at once: steps, not slopes.
  const steps: [number, number][] = [];
  for (const [x, point] of places(stretch, scale)) {
    const y = limitHeight(point, scale);
    const before = steps.at(-1);
    if (before !== undefined && before[1] !== y) {
      steps.push([x, before[1]]);
    }

    steps.push([x, y]);
  }

  return markup("path", { class: "limit", d: path(steps) });
}

function limitLabel({ stretches }: HistorySeries, scale: Scale): Markup[] {
  const last = stretches.at(-1)?.at(-1);
  if (last === undefined) {
    return [];
  }

  // Beside the plot, where no line crosses it.
  return [markup("text", { class: "limit-label", x: scale.right + 6, y: rounded(limitHeight(last, scale) + 4) }, bytes(last.limit))];
}

function limitHeight({ limit }: HistoryPoint, scale: Scale): number {
  return yOf(scale, Math.min(limit, scale.ceiling));
}

// ---- What happened ----

function placedMark({ x, kind, events }: Happening, scale: Scale): Markup[] {
  const at = rounded(x);
  return [
    markup("path", { class: `stem stem-${known(kind)}`, d: `M${at} ${scale.top - 8}V${scale.bottom}` }),
    markup("g", { transform: `translate(${at} ${scale.top - 16})` }, mark(kind)),
    ...events.length === 1 ? [] : [markup("text", { class: "times", x: at + 6, y: scale.top - 18 }, String(events.length))],
  ];
}

function worse(left: string, right: string): string {
  return kindsByGravity.indexOf(known(right)) < kindsByGravity.indexOf(known(left)) ? right : left;
}

// A kind that only a newer server knows has the quietest sign.
function known(kind: string): string {
  return kindsByGravity.includes(kind) ? kind : "expire";
}

// ---- Places ----

// The last sample counts as long as any.
function places(stretch: HistoryPoint[], scale: Scale): [x: number, point: HistoryPoint][] {
  const last = stretch.at(-1);
  return [
    ...stretch.map((point): [number, HistoryPoint] => [xOf(scale, point.at), point]),
    ...last === undefined ? [] : [[xOf(scale, Math.min(scale.to, last.at + sampling)), last] satisfies [number, HistoryPoint]],
  ];
}

function yOf({ top, bottom, ceiling }: Scale, size: number): number {
  return bottom - size / ceiling * (bottom - top);
}

// Points in the middle of a level line are left out: memory mostly stays as it is.
function path(all: [x: number, y: number][]): string {
  const near = all.map(([x, y]): [number, number] => [rounded(x), rounded(y)]);
  return near
    .filter(([, y], index) => index === 0 || index === near.length - 1 || near[index - 1]?.[1] !== y || near[index + 1]?.[1] !== y)
    .map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`)
    .join("");
}

function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
