import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bytes, duration, gigabytes, patience, usedOfTotal } from "../src/figures";
import { completes, hostName, modelLines, modelMessage } from "../src/models";
import type { OllamaModel } from "../src/protocol";
import { ollamaModel, patternModel, type Changes } from "./support/samples";
import { speaking } from "./support/vscode";

const unloaded = { loaded: false, memoryKb: 0, contextTokens: undefined };

test("a model in a list", () => {
  const { label, description, detail } = modelLines(patternModel());
  assert.equal(label, "shop");
  assert.match(description, /^Nov 3, 2025, .* · in use$/);
  assert.equal(detail, "24 MB · 1,234,567 patterns · /home/ana/shop, /home/ana/lib");
});

test("an older model that is not loaded and knows no folders", () => {
  const { description, detail } = modelLines(patternModel({ current: false, loaded: false, folders: [] }));
  assert.match(description, /^Nov 3, 2025, .* · older version$/);
  assert.equal(detail, "24 MB · 1,234,567 patterns");
});

suite("a model of Ollama in a list", () => {
  const cases: [string, Changes<OllamaModel>, description: string, detail: string][] = [
    ["in use", {},
      "in use · in memory: 1.3 GB · 4,000 tokens of context",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["loaded by another program", { current: false, fillsMiddle: false },
      "in memory: 1.3 GB · 4,000 tokens of context",
      "does not fill in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["of which little is known", { ...unloaded, current: false, parameterSize: undefined, quantization: undefined, fillsMiddle: undefined },
      "",
      "940 MB on disk"],
    ["of the cloud", { ...unloaded, sizeBytes: 384, current: false, remoteHost: "https://ollama.com:443", parameterSize: "480B", quantization: "" },
      "your code is sent to ollama.com",
      "fills in the middle · 480B parameters"],
    ["of the cloud, in use", { sizeBytes: 384, remoteHost: "https://ollama.com:443", parameterSize: "480B", quantization: "" },
      "in use · your code is sent to ollama.com · 4,000 tokens of context",
      "fills in the middle · 480B parameters"],
    ["that only measures texts", { ...unloaded, current: false, capabilities: ["embedding"] },
      "",
      "does not complete · 940 MB on disk · 1.5B parameters · Q4_K_M"],
  ];
  for (const [name, changes, description, detail] of cases) {
    test(name, () => {
      assert.deepEqual(modelLines(ollamaModel(changes)), { label: "qwen2.5-coder:1.5b", description, detail });
    });
  }

  test("in Spanish", () => {
    const { description, detail } = speaking("es", () => modelLines(ollamaModel()));
    assert.equal(description, "en uso · en memoria: 1,3 GB · 4000 tokens de contexto");
    assert.equal(detail, "rellena huecos · 940 MB en disco · 1.5B parámetros · Q4_K_M");
  });
});

test("where a model of the cloud runs", () => {
  for (const [host, name] of [
    ["https://ollama.com:443", "ollama.com"],
    ["https://ollama.com", "ollama.com"],
    ["http://10.0.0.7:11434", "10.0.0.7:11434"],
    ["ollama.com", "ollama.com"],
    ["ollama.com:443", "ollama.com:443"],
    ["://", "://"],
  ] as const) {
    assert.equal(hostName(host), name);
  }
});

test("what completes", () => {
  assert.ok(completes(patternModel()));
  assert.ok(completes(ollamaModel()));
  assert.ok(completes(ollamaModel({ capabilities: [] })));
  assert.ok(completes(ollamaModel({ capabilities: undefined })));
  assert.ok(!completes(ollamaModel({ capabilities: ["embedding"] })));
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

test("a model's times", () => {
  assert.equal(patience(0), "0 ms");
  assert.equal(patience(999), "999 ms");
  assert.equal(patience(999.6), "1.0 s");
  assert.equal(patience(12_345), "12.3 s");
});

test("gigabytes", () => {
  assert.equal(gigabytes(1), "1.0 GB");
  assert.equal(speaking("es", () => gigabytes(0.4)), "0,4 GB");
});
