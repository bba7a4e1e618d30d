import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { kindInWords, modelName, summary } from "../../src/memory/memoryHistory";
import type { MemoryHistory } from "../../src/server/protocol";
import { event, gigabyte, sample, withoutSystem } from "../support/histories";
import { speaking } from "../support/vscode";

const nothing: MemoryHistory = { samples: [], events: [] };

suite("the summary", () => {
  const summaries: [string, MemoryHistory, string][] = [
    ["nothing", nothing, ""],
    ["a machine that does not tell its memory", { events: [], samples: [withoutSystem(sample([1]))] },
      "Models took 1.0 GB at the most, when they were allowed 6.0 GB."],
    ["no event", { events: [], samples: [sample([])] },
      "Models took 0 KB at the most, when they were allowed 6.0 GB. The machine had 8.0 GB left at the least."],
    ["the highest moment", { events: [], samples: [sample([2]), sample([2, 3.5], { availableBytes: 1.5 * gigabyte }), sample([], { limitBytes: 2 * gigabyte })] },
      "Models took 5.5 GB at the most, when they were allowed 6.0 GB. The machine had 1.5 GB left at the least."],
    ["several events", { ...nothing, events: [event(), event(), event({ kind: "evict" }), event({ kind: "refuse" })] },
      "What happened: 2 × loaded, 1 × unloaded to make room, 1 × not let in."],
    ["no sample yet", { ...nothing, events: [event()] }, "What happened: 1 × loaded."],
  ];
  for (const [name, of, expected] of summaries) {
    test(`of ${name}`, () => {
      assert.equal(summary(of), expected);
    });
  }
});

test("every kind is put in words, and one that only a newer server knows is shown as it is", () => {
  for (const kind of ["load", "unload", "evict", "refuse", "expire", "crash"]) {
    // In Spanish, because no name reads there as a word.
    assert.notEqual(speaking("es", () => kindInWords(kind)), kind);
  }

  assert.equal(kindInWords("swap"), "swap");
});

test("an id is shown without its source, and one that has none as it is", () => {
  assert.deepEqual(
    ["ollama:llama3.2:1b", "pattern:shop_20251103_120000", "llama"].map(modelName),
    ["llama3.2:1b (Ollama)", "shop_20251103_120000", "llama"],
  );
});
