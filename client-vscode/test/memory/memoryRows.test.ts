import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryRows, type MemoryRow } from "../../src/memory/memoryRows";
import type { MemoryReport } from "../../src/server/protocol";
import { memoryReport, model, ollamaMemory } from "../support/samples";
import { speaking } from "../support/vscode";

const now = Date.parse("2025-11-03T12:32:00Z");

suite("memoryRows", () => {
  test("the machine and the models as bars, then every model, then what can be done", () => {
    const report = memoryReport([model(), ollamaMemory({ pinned: true })], { advice: ["Little is left."] });
    assert.deepEqual(lines(report), [
      "chip System memory: ■■■■■■□□□□  9.0 GB of 15.6 GB (58%)",
      "dashboard Models: ■■□□□□□□□□  1.3 GB of at most 6.0 GB",
      "server-process The server itself: 56 MB",
      "— Loaded models",
      "package shop: 3 MB of 24 MB in RAM · unused for 30 minutes",
      "package qwen2.5-coder:1.5b (Ollama): 1.3 GB in RAM · 4,000 tokens of context · pinned · unused for 30 minutes",
      "— Advice",
      "lightbulb Little is left.",
      "— What you can do",
      "clear-all Unload all: except what other programs have loaded",
      "settings-gear Set limit…",
      "checklist Choose models…",
      "history Memory history",
    ]);
  });

  test("without models there is nothing to unload", () => {
    const labels = lines(memoryReport([]));
    assert.ok(labels.includes("circle-slash No model is loaded."));
    assert.ok(!labels.some((line) => line.includes("Unload")));
  });

  test("a machine that does not tell its memory has no bar", () => {
    const { limitBytes, modelsBytes, models, presets, advice } = memoryReport([]);
    assert.deepEqual(lines({ limitBytes, modelsBytes, models, presets, advice }).slice(0, 3), [
      "chip System memory: unknown",
      "dashboard Models: □□□□□□□□□□  0 KB of at most 6.0 GB",
      "server-process The server itself: unknown",
    ]);
  });

  test("a bar ends where it is full", () => {
    assert.match(lines(memoryReport([model({ bytes: 50 * 1024 ** 3 })]))[1] ?? "", /: ■{10} {2}50\.0 GB of at most 6\.0 GB$/);
  });

  test("a row is the same one after memory has changed, and no two are", () => {
    const before = memoryRows(memoryReport([model(), ollamaMemory()], { advice: ["A.", "A."] }), now);
    const after = memoryRows(memoryReport([model({ bytes: 1, pinned: true }), ollamaMemory()], { advice: ["B.", "C."] }), now + 3_600_000);
    assert.deepEqual(before.map(({ key }) => key), after.map(({ key }) => key));
    assert.equal(new Set(before.map(({ key }) => key)).size, before.length);
  });

  test("in Spanish", () => {
    assert.ok(speaking("es", () => lines(memoryReport([model()]))).includes("package shop: 3 MB de 24 MB en RAM · sin usar desde hace 30 minutos"));
  });
});

function lines(report: MemoryReport): string[] {
  const inOneLine = ({ icon, label, description }: MemoryRow): string =>
    icon === undefined ? `— ${label}` : `${icon} ${label}${description === "" ? "" : `: ${description}`}`;
  return memoryRows(report, now).map(inOneLine);
}
