import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, usedOfTotal } from "../src/figures";
import { modelLines, modelMessage } from "../src/models";
import type { ModelEntry } from "../src/protocol";
import { speaking } from "./support/vscode";

const entry: ModelEntry = {
  id: "pattern:shop_20251103_120000",
  name: "shop",
  source: "pattern",
  sizeBytes: 24 * 1024 ** 2,
  createdAt: "2025-11-03T12:00:00Z",
  modifiedAt: "2025-11-03T12:00:00Z",
  loaded: true,
  current: true,
  patternsStored: 1234567,
  memoryKb: 24576,
  sparsity: 0.9731,
  folders: ["/home/ana/shop", "/home/ana/lib"],
};

test("a model in a list", () => {
  const { label, description, detail } = modelLines(entry);
  assert.equal(label, "shop");
  assert.match(description, /^Nov 3, 2025, .* · in use$/);
  assert.equal(detail, "24 MB · 1,234,567 patterns · /home/ana/shop, /home/ana/lib");
});

test("an older model that is not loaded and knows no folders", () => {
  const { description, detail } = modelLines({ ...entry, current: false, loaded: false, folders: [] });
  assert.match(description, /^Nov 3, 2025, .* · older version$/);
  assert.equal(detail, "24 MB · 1,234,567 patterns");
});

test("the server's sentence with its figures", () => {
  const modelStats = { patternsStored: 1234567, memoryKb: 24576, sparsity: 0.99992 };
  assert.equal(modelMessage({ message: "Trained.", modelStats }), "Trained. 1,234,567 patterns, 24 MB in memory, sparsity 99.992%.");
  assert.match(
    speaking("es", () => modelMessage({ message: "Listo.", modelStats })),
    /^Listo\. 1\.234\.567 patrones, 24 MB en memoria, dispersión 99,992\s%\.$/,
  );
});

test("the server's sentence alone", () => {
  assert.equal(modelMessage({ message: "Loaded." }), "Loaded.");
});

test("bytes change their unit where the figure would get four digits", () => {
  const cases: [number, string][] = [
    [0, "0 KB"],
    [512, "1 KB"],
    [1024 ** 2 - 1, "1 MB"],
    [1024 ** 2, "1 MB"],
    [1023.4 * 1024 ** 2, "1,023 MB"],
    [1023.6 * 1024 ** 2, "1.0 GB"],
    [24 * 1024 ** 3, "24.0 GB"],
  ];
  for (const [count, expected] of cases) {
    assert.equal(bytes(count), expected);
  }
});

test("memory in the status bar", () => {
  assert.equal(usedOfTotal(9 * 1024 ** 3, 15.5 * 1024 ** 3), "9.0/16 GB");
});

test("durations", () => {
  assert.equal(duration(0), "0 µs");
  assert.equal(duration(999), "999 µs");
  assert.equal(duration(12_345), "12.3 ms");
});
