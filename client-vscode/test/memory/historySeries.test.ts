import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fittingSpan, historySeries, taken } from "../../src/memory/historySeries";
import { day, dayEnd, event, gigabyte, minutesBefore, sample, withoutSystem } from "../support/histories";

suite("historySeries", () => {
  test("the largest has the first layer, and what is too many shares the last", () => {
    const five = historySeries(day(() => [0.1, 5, 0.3]), 24, dayEnd);
    assert.deepEqual(five.layers, ["ollama:1", "ollama:2", "ollama:0"]);
    assert.equal(five.others, 0);

    const many = historySeries(day(() => [1, 2, 3, 4, 5, 6, 7, 8]), 24, dayEnd);
    assert.deepEqual(many.layers, ["ollama:7", "ollama:6", "ollama:5", "ollama:4", "ollama:3"]);
    assert.equal(many.others, 3);
    assert.deepEqual(many.stretches[0]?.[0]?.layers.map((size) => size / gigabyte), [8, 7, 6, 5, 4, 6]);
  });

  test("six layers are not made five and a rest of one", () => {
    const { layers, others } = historySeries(day(() => [1, 2, 3, 4, 5, 6]), 24, dayEnd);
    assert.equal(layers.length, 6);
    assert.equal(others, 0);
  });

  test("a day is thinned out, and its peak stays", () => {
    const { stretches } = historySeries(day((index) => [index === 1234 ? 8 : 2 + index % 7 / 100]), 24, dayEnd);
    const points = stretches.flat();
    assert.ok(600 <= points.length && points.length <= 1202, String(points.length));
    assert.equal(Math.max(...points.map(taken)), 8 * gigabyte);
    assert.deepEqual(points.map(({ at }) => at), points.map(({ at }) => at).sort((left, right) => left - right));
    assert.equal(points.at(-1)?.at, dayEnd);
  });

  test("the moment with the least memory left stays, too", () => {
    const { samples } = day(() => [1]);
    samples[777] = sample([1], { at: samples[777]?.at ?? "", availableBytes: gigabyte });
    const { stretches } = historySeries({ samples, events: [] }, 24, dayEnd);
    assert.equal(Math.max(...stretches.flat().map(({ used }) => used ?? 0)), 15 * gigabyte);
  });

  test("the span that shows all is the shortest that does", () => {
    const recorded = [sample([1], { at: minutesBefore(59) }), sample([1], { at: minutesBefore(61) }), sample([1], { at: minutesBefore(361) })];
    const spans = [0, 1, 2, 3].map((number) => fittingSpan(historySeries({ samples: recorded.slice(0, number), events: [] }, 24, dayEnd)));
    assert.deepEqual(spans, [24, 1, 6, 24]);
    assert.equal(fittingSpan(historySeries({ samples: [], events: [event({ at: minutesBefore(5) })] }, 24, dayEnd)), 1);
  });

  test("only what lies in the span", () => {
    const events = [event({ at: minutesBefore(61) }), event({ at: minutesBefore(59), kind: "evict" }), event({ at: minutesBefore(-5) })];
    const series = historySeries(day(() => [1], events), 1, dayEnd);
    assert.deepEqual(series.events.map(({ kind }) => kind), ["evict"]);
    assert.ok(series.stretches.flat().every(({ at }) => series.from <= at && at <= series.to));
  });

  test("a pause of two minutes is no gap, one of ten is", () => {
    const { samples } = day(() => [1]);
    const without = (minutes: number): number => historySeries({
      samples: samples.filter(({ at }) => Date.parse(at) < Date.parse(minutesBefore(300 + minutes)) || Date.parse(minutesBefore(300)) <= Date.parse(at)),
      events: [],
    }, 24, dayEnd).stretches.length;
    assert.deepEqual([without(2), without(10)], [1, 2]);
  });

  test("what is not known is left out, and strange figures do no harm", () => {
    const series = historySeries({
      samples: [
        withoutSystem(sample([1])),
        sample([-1], { limitBytes: -1, availableBytes: 99 * gigabyte }),
        sample([1], { at: "no time" }),
      ],
      events: [event({ at: "" })],
    }, 24, dayEnd);
    assert.deepEqual(series.stretches.flat().map(({ layers, used, limit }) => ({ layers, used, limit })), [
      { layers: [gigabyte], used: undefined, limit: 6 * gigabyte },
      { layers: [0], used: 0, limit: 0 },
    ]);
    assert.deepEqual(series.events, []);
    assert.deepEqual(historySeries({ samples: [], events: [] }, 1, dayEnd).stretches, []);
  });
});
