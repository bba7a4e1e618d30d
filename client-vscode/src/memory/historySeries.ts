// A history of memory as a picture needs it: cut where nothing was recorded, thinned out, stacked by model. Pure. Knows
// nothing of pixels, colors and words.

import type { MemoryEvent, MemoryHistory, MemorySample } from "../server/protocol";
import { spans, type Span } from "./historyMessages";

/** Samples come every 30 s; where none came for longer than this, nobody was there to take them. */
export const longestPause = 150_000;

// More colors than these cannot be told apart, and themes have no more.
const mostLayers = 5;
// Of each two points stay: about one for each pixel of a wide window.
const buckets = 600;

/** Times are milliseconds since 1970, sizes are bytes. */
export interface HistorySeries {
  from: number;
  to: number;
  /** The ids of the models that have a layer of their own, the largest first. */
  layers: string[];
  /** How many models share one more layer, the last; 0 if there is none. */
  others: number;
  /** Times without gaps, in order; each has at least one point. */
  stretches: HistoryPoint[][];
  /** What the machine had at the most; missing if it was not told. */
  total?: number;
  /** The oldest first. */
  events: MemoryEvent[];
}

export interface HistoryPoint {
  at: number;
  /** What each layer took. */
  layers: number[];
  /** What was in use on the machine, by models and all else; missing if it was not told. */
  used?: number;
  /** What models were allowed to take. */
  limit: number;
}

/** The last `hours` before `to`. */
export function historySeries({ samples, events }: MemoryHistory, hours: number, to: number): HistorySeries {
  const from = to - hours * 3_600_000;
  const within = samples
    .filter(({ at }) => isWithin(at, from, to))
    .sort((left, right) => Date.parse(left.at) - Date.parse(right.at));
  const ranked = largestFirst(within);
  // A layer for the others that holds only one has no advantage over that one's own.
  const own = ranked.length <= mostLayers + 1 ? ranked.length : mostLayers;
  const layers = ranked.slice(0, own);
  const others = ranked.length - own;
  const points = within.map((sample) => pointOf(sample, layers, others));
  const totals = within.flatMap(({ totalBytes }) => totalBytes === undefined ? [] : [totalBytes]);
  return {
    from,
    to,
    layers,
    others,
    stretches: stretchesOf(points).map((stretch) => thinned(stretch, from, to)),
    ...totals.length === 0 ? {} : { total: totals.reduce((top, next) => Math.max(top, next)) },
    events: events
      .filter(({ at }) => isWithin(at, from, to))
      .sort((left, right) => Date.parse(left.at) - Date.parse(right.at)),
  };
}

/** When the first of it was recorded; Infinity if nothing was. */
export function firstRecorded({ stretches, events }: HistorySeries): number {
  return Math.min(stretches[0]?.[0]?.at ?? Infinity, Date.parse(events[0]?.at ?? "") || Infinity);
}

/** The shortest span that shows all that the series has; the longest if it has nothing. */
export function fittingSpan(series: HistorySeries): Span {
  const first = firstRecorded(series);
  return first === Infinity ? 24 : spans.find((hours) => series.to - hours * 3_600_000 <= first) ?? 24;
}

/** What all models took. */
export function taken({ layers }: HistoryPoint): number {
  return layers.reduce((sum, layer) => sum + layer, 0);
}

function isWithin(iso: string, from: number, to: number): boolean {
  const at = Date.parse(iso);
  return from <= at && at <= to;
}

function largestFirst(samples: MemorySample[]): string[] {
  const peaks = new Map<string, number>();
  for (const { id, bytes } of samples.flatMap(({ models }) => models)) {
    peaks.set(id, Math.max(bytes, peaks.get(id) ?? 0));
  }

  return [...peaks]
    .filter(([, bytes]) => 0 < bytes)
    // By name among equals, so that colors do not change places.
    .sort(([left, leftBytes], [right, rightBytes]) => rightBytes - leftBytes || (left < right ? -1 : 1))
    .map(([id]) => id);
}

function pointOf({ at, totalBytes, availableBytes, limitBytes, models }: MemorySample, ids: string[], others: number): HistoryPoint {
  const layers = new Array<number>(others === 0 ? ids.length : ids.length + 1).fill(0);
  for (const { id, bytes } of models) {
    const own = ids.indexOf(id);
    const place = own === -1 ? ids.length : own;
    if (place < layers.length) {
      layers[place] = (layers[place] ?? 0) + Math.max(0, bytes);
    }
  }

  return {
    at: Date.parse(at),
    layers,
    ...totalBytes === undefined || availableBytes === undefined ? {} : { used: Math.max(0, totalBytes - availableBytes) },
    limit: Math.max(0, limitBytes),
  };
}

function stretchesOf(points: HistoryPoint[]): HistoryPoint[][] {
  const stretches: HistoryPoint[][] = [];
  let last: HistoryPoint | undefined;
  for (const point of points) {
    if (last === undefined || longestPause < point.at - last.at) {
      stretches.push([]);
    }

    stretches.at(-1)?.push(point);
    last = point;
  }

  return stretches;
}

// Of each piece of the time, the moment in which models took most and that in which most was in use: what is thinned out
// must not hide how high it went. The ends stay too, or gaps would be drawn longer than they were.
function thinned(stretch: HistoryPoint[], from: number, to: number): HistoryPoint[] {
  const [first, ...middle] = stretch;
  const last = middle.pop();
  if (first === undefined || last === undefined) {
    return stretch;
  }

  const highest = new Map<number, { models: HistoryPoint; used: HistoryPoint }>();
  for (const point of middle) {
    const bucket = Math.floor((point.at - from) / (to - from) * buckets);
    const { models, used } = highest.get(bucket) ?? { models: point, used: point };
    highest.set(bucket, {
      models: taken(models) < taken(point) ? point : models,
      used: (used.used ?? 0) < (point.used ?? 0) ? point : used,
    });
  }

  const kept = [...highest.values()].flatMap(({ models, used }) => {
    if (models === used) {
      return [models];
    }

    return models.at < used.at ? [models, used] : [used, models];
  });
  return [first, ...kept, last];
}
