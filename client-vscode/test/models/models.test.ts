import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bytes, duration, gigabytes, patience, usedOfTotal } from "../../src/window/figures";
import { byFit, completes, hostName, modelLines, modelMessage } from "../../src/models/models";
import type { OllamaModel } from "../../src/server/protocol";
import { ollamaModel, patternModel, type Changes } from "../support/samples";
import { speaking } from "../support/vscode";

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
    ["pinned", { pinned: true },
      "in use · pinned · in memory: 1.3 GB · 4,000 tokens of context",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["that fits now", { ...unloaded, current: false, fit: "now", predictedBytes: 1_400_000_000, fitContextTokens: 8000, fitEvicts: [] },
      "fits now: 1.3 GB · 8,000 tokens of context",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["that others must leave for", {
      ...unloaded, current: false, fit: "afterEvicting", predictedBytes: 1_400_000_000, fitContextTokens: 2000,
      fitEvicts: ["ollama:llama3.2:1b", "pattern:shop_20251103_120000"],
    },
      "fits after unloading llama3.2:1b, shop_20251103_120000 · takes 1.3 GB · 2,000 tokens of context",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["that does not fit", { ...unloaded, current: false, fit: "no", predictedBytes: 1_400_000_000, fitContextTokens: 1000 },
      "does not fit: takes 1.3 GB",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["whose room is not known", { ...unloaded, current: false, predictedBytes: 1_400_000_000 },
      "takes 1.3 GB",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
    ["that is loaded tells what it takes, not what it would", { current: false, fit: "now", predictedBytes: 9_000_000_000, fitContextTokens: 8000 },
      "in memory: 1.3 GB · 4,000 tokens of context",
      "fills in the middle · 940 MB on disk · 1.5B parameters · Q4_K_M"],
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
    assert.equal(
      speaking("es", () => modelLines(ollamaModel({ ...unloaded, current: false, fit: "now", predictedBytes: 1_400_000_000 }))).description,
      "cabe ahora: 1,3 GB");
    assert.equal(detail, "rellena huecos · 940 MB en disco · 1.5B parámetros · Q4_K_M");
  });
});

suite("the order in which models are worth a look", () => {
  const named = (name: string, changes: Changes<OllamaModel> = {}): OllamaModel =>
    ollamaModel({ name, ...unloaded, current: false, ...changes });
  const gigabytes = (count: number): { predictedBytes: number } => ({ predictedBytes: count * 1024 ** 3 });

  // Each list in its order; whatever comes first, the order is to be the same.
  const cases: [string, OllamaModel[]][] = [
    ["by what their memory costs", [
      named("in use", { current: true }),
      named("loaded", { loaded: true }),
      named("fits", { fit: "now", ...gigabytes(1) }),
      named("unknown"),
      named("evicts", { fit: "afterEvicting", fitEvicts: ["ollama:loaded"], ...gigabytes(3) }),
      named("too large", { fit: "no", ...gigabytes(30) }),
      named("cloud", { remoteHost: "https://ollama.com:443" }),
      named("embeds", { capabilities: ["embedding"], fit: "now" }),
    ]],
    ["what only a newer server says is not known", [
      named("fits", { fit: "now" }),
      named("unheard of", { fit: "tomorrow" as "now" }),
      named("too large", { fit: "no" }),
    ]],
    ["what fits: the largest that fills in the middle", [
      named("large", { fit: "now", ...gigabytes(4) }),
      named("small", { fit: "now", ...gigabytes(1) }),
      named("only goes on", { fit: "now", fillsMiddle: false, ...gigabytes(5) }),
    ]],
    ["what others must leave for: with the fewest that leave", [
      named("one, large", { fit: "afterEvicting", fitEvicts: ["ollama:a"], ...gigabytes(4) }),
      named("one, small", { fit: "afterEvicting", fitEvicts: ["ollama:a"], ...gigabytes(3) }),
      named("two", { fit: "afterEvicting", fitEvicts: ["ollama:a", "ollama:b"], ...gigabytes(5) }),
    ]],
    ["what does not fit: the smallest", [named("30", { fit: "no", ...gigabytes(30) }), named("60", { fit: "no", ...gigabytes(60) })]],
  ];
  for (const [name, models] of cases) {
    test(name, () => {
      const names = models.map((model) => model.name);
      assert.deepEqual(byFit([...models].reverse()).map((model) => model.name), names);
      assert.deepEqual(byFit(models).map((model) => model.name), names);
    });
  }

  test("stays as it comes for pattern models, and where nothing is known", () => {
    const models = [named("b"), patternModel(), named("a", { sizeBytes: 1 }), patternModel({ name: "lib", loaded: false })];
    assert.deepEqual(byFit(models).map(({ name }) => name), ["shop", "lib", "b", "a"]);
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
  assert.equal(usedOfTotal(9 * 1024 ** 3, 15.5 * 1024 ** 3), "\u20079.0/16 GB");
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
