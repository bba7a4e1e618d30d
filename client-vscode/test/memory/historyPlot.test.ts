// The picture of a history, as elements. How it looks is for eyes.

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gaps, happeningsOf, historyPlot, scaleOf, timeOf, xOf } from "../../src/memory/historyPlot";
import { readingAt } from "../../src/memory/historyReading";
import { historySeries, type HistorySeries } from "../../src/memory/historySeries";
import type { MemoryHistory } from "../../src/server/protocol";
import { textOf, type Markup } from "../../src/window/markup";
import { day, dayEnd, event, gigabyte, minutesBefore, sample } from "../support/histories";
import { speaking } from "../support/vscode";

const width = 900;
const hostile = "ollama:<img src=x onerror=alert(1)>\"'&";

suite("historyPlot", () => {
  test("models lie on one another, to scale", () => {
    const { scale, drawn } = plotted(day(() => [4, 8]));
    const tops = paths(drawn, "edge").map(({ d }) => heights(d));
    const perGigabyte = (scale.bottom - scale.top) / 16;
    assert.deepEqual(tops.map((all) => all.map((y) => Math.round((scale.bottom - y) / perGigabyte))), [[12, 12], [4, 4]]);
  });

  test("a model that left is not drawn on the ground", () => {
    const { drawn } = plotted(day((index) => index < 1000 || 2000 < index ? [2] : []));
    assert.equal(paths(drawn, "area").length, 2);
  });

  test("the limit is a line with its value, and above all memory it is drawn at the top", () => {
    assert.deepEqual(texts(plotted(day(() => [1])).drawn, "limit-label"), ["6.0 GB"]);
    assert.deepEqual(speaking("es", () => texts(plotted(day(() => [1])).drawn, "limit-label")), ["6,0 GB"]);

    const high = day(() => [1]);
    const { scale, drawn: highDrawn } = plotted({ events: [], samples: high.samples.map((one) => ({ ...one, limitBytes: 24 * gigabyte })) });
    assert.deepEqual(paths(highDrawn, "limit").flatMap(({ d }) => heights(d)), [scale.top, scale.top]);
  });

  test("axes have units and round local times", () => {
    const { drawn } = plotted(day(() => [1]));
    const ticks = texts(drawn, "tick");
    assert.deepEqual(ticks.filter((text) => text.endsWith("GB")), ["0 GB", "4 GB", "8 GB", "12 GB", "16 GB"]);
    assert.ok(5 <= ticks.filter((text) => /^\d+:00\s[AP]M$/.test(text)).length, ticks.join());
    assert.equal(texts(drawn, "tick day").length, 1);
    assert.ok(texts(plotted(day(() => [1]), 1).drawn, "tick").some((text) => /:[1-5][05]\s/.test(text)));
  });

  test("nothing is drawn over a gap, and the gap is", () => {
    const history = day(() => [2]);
    history.samples = history.samples.filter(({ at }) => at < minutesBefore(900) || minutesBefore(540) <= at);
    const { series, scale, drawn } = plotted(history);
    const gap = [dayEnd - 900 * 60_000, dayEnd - 540 * 60_000].map((at) => Math.round(xOf(scale, at)));
    for (const { d } of paths(drawn, "area")) {
      const xs = [...d.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => Number(x));
      assert.ok(Math.max(...xs) <= (gap[0] ?? 0) + 1 || (gap[1] ?? 0) - 1 <= Math.min(...xs));
    }

    assert.equal(gaps(series).length, 1);
    assert.match(said(series, dayEnd - 700 * 60_000), /Nothing was recorded then/);
  });

  test("marks that would lie on one another are one, with the worst sign", () => {
    const events = [
      event({ at: minutesBefore(600) }),
      event({ at: minutesBefore(599), kind: "evict" }),
      event({ at: minutesBefore(598), kind: "expire" }),
      event({ at: minutesBefore(100), kind: "refuse", bytes: 0 }),
    ];
    const { drawn, happenings } = plotted(day(() => [1], events));
    assert.deepEqual(happenings.map(({ kind, events: of }) => [kind, of.length]), [["evict", 3], ["refuse", 1]]);
    assert.deepEqual(elements(drawn).filter(({ attributes }) => attributes.class?.startsWith("mark ")).map(({ attributes }) => attributes.class), ["mark mark-evict", "mark mark-refuse"]);
    assert.deepEqual(texts(drawn, "times"), ["3"]);
  });

  test("the reading tells how much, what and why", () => {
    const events = [event({ at: minutesBefore(600), kind: "evict", reason: "To make room for qwen." })];
    const { series, happenings } = plotted(day(() => [2, 1], events));
    const reading = said(series, dayEnd - 600 * 60_000, happenings[0]);
    for (const part of [/llama3\.2:1b \(Ollama\): unloaded to make room, 2\.0 GB\. {2}To make room for qwen\./, /0 \(Ollama\): 2\.0 GB/, /All models: 3\.0 GB/, /Limit of models: 6\.0 GB/, /in use: 8\.0 GB of 16\.0 GB/]) {
      assert.match(reading, part);
    }
  });

  test("a reading of many events names some and counts the others", () => {
    const events = Array.from({ length: 9 }, () => event({ at: minutesBefore(600) }));
    const { series, happenings } = plotted(day(() => [1], events));
    assert.match(said(series, dayEnd - 600 * 60_000, happenings[0]), /And 4 more, see the table\./);
  });

  test("names and reasons are text, whatever they are", () => {
    const { series, drawn, happenings } = plotted({
      samples: [sample([], { models: [{ id: hostile, bytes: gigabyte }] })],
      events: [event({ id: hostile, kind: "\" onload=\"alert(1)", reason: "<script>alert(1)</script>" })],
    });
    const all = [...elements(drawn), ...readingAt(series, dayEnd, happenings[0]).flatMap(elements)];
    assert.deepEqual([...new Set(all.map(({ tag }) => tag))].sort(), ["defs", "g", "p", "path", "pattern", "rect", "span", "strong", "svg", "table", "td", "text", "tr"]);
    for (const { attributes } of all) {
      assert.ok(Object.keys(attributes).every((name) => !name.startsWith("on")));
      assert.ok(Object.values(attributes).every((value) => !/alert|NaN/.test(value)));
    }

    assert.match(said(series, dayEnd, happenings[0]), /<img src=x onerror=alert\(1\)>"'& \(Ollama\)/);
  });

  test("a day that moves all the time is drawn within 50 ms", () => {
    const events = Array.from({ length: 3000 }, (_, index) => event({ at: minutesBefore(index % 1440) }));
    const history = day((index) => Array.from({ length: 8 }, (_, model) => (index * 7 + model * 13) % 11 / 10), events);
    const series = historySeries(history, 24, dayEnd);
    // The best of some: the machine may be busy with something else.
    const times = Array.from({ length: 8 }, () => {
      const begun = performance.now();
      draw(series);
      return performance.now() - begun;
    });
    assert.ok(Math.min(...times) < 50, times.join());
    const { drawn } = draw(series);
    assert.ok(JSON.stringify(drawn).length < 1_000_000);
  });

  test("places and times are each other's opposite", () => {
    const { scale } = plotted(day(() => []));
    const at = dayEnd - 5 * 3_600_000;
    assert.equal(Math.round(timeOf(scale, xOf(scale, at))), at);
    assert.deepEqual([timeOf(scale, -9), timeOf(scale, 9999)], [scale.from, scale.to]);
  });
});

function plotted(history: MemoryHistory, hours = 24): ReturnType<typeof draw> {
  return draw(historySeries(history, hours, dayEnd));
}

function draw(series: HistorySeries) {
  const scale = scaleOf(series, width, 320);
  const happenings = happeningsOf(series, scale);
  return { series, scale, happenings, drawn: historyPlot(series, scale, happenings) };
}

function said(...of: [HistorySeries, number, Parameters<typeof readingAt>[2]?]): string {
  return readingAt(of[0], of[1], of[2]).map(textOf).join(" ");
}

function elements(part: Markup | string): Markup[] {
  return typeof part === "string" ? [] : [part, ...part.children.flatMap(elements)];
}

function texts(drawn: Markup, name: string): string[] {
  return elements(drawn).filter(({ attributes }) => attributes.class === name).map(textOf);
}

function paths(drawn: Markup, name: string): { d: string }[] {
  return elements(drawn)
    .filter(({ attributes }) => attributes.class?.split(" ")[0] === name)
    .map(({ attributes }) => ({ d: attributes.d ?? "" }));
}

function heights(d: string): number[] {
  return [...d.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
}
