import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { beginning, eventTable, historyDocument, legend, spanChoice } from "../../src/memory/historyPage";
import { historySeries } from "../../src/memory/historySeries";
import { moment } from "../../src/window/figures";
import { textOf } from "../../src/window/markup";
import { day, dayEnd, event, minutesBefore, sample } from "../support/histories";
import { speaking } from "../support/vscode";

suite("historyDocument", () => {
  const shell = { cspSource: "https://source", script: "https://source/page.js", style: "https://source/page.css", nonce: "n0nce", language: "es", translations: { a: "\"<script>&" } };

  test("may load its script and its style and nothing else", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(historyDocument(shell))?.[1];
    assert.equal(policy, "default-src 'none'; style-src https://source; script-src 'nonce-n0nce'");
  });

  test("brings the translations as text", () => {
    const written = historyDocument(shell);
    assert.match(written, /data-translations="\{&quot;a&quot;:&quot;\\&quot;&lt;script>&amp;&quot;\}"/);
    assert.deepEqual([...written.matchAll(/<script/g)].length, 1);
    assert.match(written, /<html lang="es">/);
  });
});

test("the choice of a span has the chosen one checked", () => {
  const inputs = spanChoice(6).children.flatMap((part) => typeof part === "string" ? [] : part.children).flatMap((part) => typeof part === "string" ? [] : [part.attributes]);
  assert.deepEqual(inputs.map(({ value, checked }) => [value, checked]), [["1", undefined], ["6", ""], ["24", undefined]]);
  assert.equal(textOf(spanChoice(24)).replace(/\s+/g, " "), "Period 1 hour 6 hours 24 hours");
});

test("the legend explains what is in the picture, and nothing else", () => {
  const full = historySeries(day(() => [1, 2], [event({ kind: "evict" }), event({ kind: "evict" })]), 24, dayEnd);
  assert.deepEqual(legend(full).map(textOf).map((text) => text.trim()), ["1 (Ollama)", "0 (Ollama)", "System memory in use", "Limit of models", "unloaded to make room"]);
  assert.deepEqual(legend(historySeries({ samples: [], events: [] }, 24, dayEnd)), []);
});

test("it is told since when something is recorded, if that is not from the start", () => {
  const at = minutesBefore(30);
  const young = historySeries({ samples: [sample([1], { at })], events: [] }, 24, dayEnd);
  assert.equal(beginning(young), `Before ${moment(at)} nothing was recorded.`);
  assert.equal(beginning(historySeries(day(() => [1]), 24, dayEnd)), "");
  assert.equal(beginning(historySeries({ samples: [], events: [] }, 24, dayEnd)), "");
});

suite("eventTable", () => {
  test("the latest first", () => {
    const events = [
      event({ at: minutesBefore(20), kind: "evict", id: "pattern:shop_20251103_120000", bytes: 24 * 1024 ** 2, reason: "To make room for a|b." }),
      event({ at: minutesBefore(10), kind: "refuse", bytes: 0, reason: "It takes more than the limit." }),
    ];
    const [last, first] = events.map(({ at }) => moment(at));
    assert.deepEqual(rows(events), [
      ["When", "What", "Model", "Size", "Why"],
      [first, "not let in", "llama3.2:1b (Ollama)", "", "It takes more than the limit."],
      [last, "unloaded to make room", "shop_20251103_120000", "24 MB", "To make room for a|b."],
    ]);
    assert.deepEqual(speaking("es", () => rows(events)[0]), ["Cuándo", "Qué", "Modelo", "Tamaño", "Por qué"]);
  });

  test("without events there is none, and of very many it has the last", () => {
    assert.deepEqual(eventTable([]), []);
    const many = Array.from({ length: 1000 }, () => event());
    assert.equal(rows(many).length, 201);
    assert.match(eventTable(many).map(textOf).join(""), /the last 200 of 1,000 events/);
  });
});

function rows(events: Parameters<typeof eventTable>[0]): string[][] {
  return eventTable(events)
    .flatMap(({ children }) => children)
    .flatMap((part) => typeof part === "string" || part.tag === "caption" ? [] : part.children)
    .map((row) => typeof row === "string" ? [] : row.children.map(textOf));
}
