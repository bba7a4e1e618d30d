import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { moment } from "../../src/window/figures";
import { memoryHistoryPage } from "../../src/memory/memoryHistory";
import type { MemoryEvent, MemoryHistory, MemorySample } from "../../src/server/protocol";
import { speaking } from "../support/vscode";

const gigabyte = 1024 ** 3;
const nothing: MemoryHistory = { samples: [], events: [] };

function event(changes: Partial<MemoryEvent> = {}): MemoryEvent {
  return { at: "2025-11-03T12:00:00Z", kind: "load", id: "ollama:llama3.2:1b", bytes: 2 * gigabyte, reason: "You chose it.", ...changes };
}

function sample(models: number[], changes: Partial<MemorySample> = {}): MemorySample {
  return {
    at: "2025-11-03T12:00:00Z",
    totalBytes: 16 * gigabyte,
    availableBytes: 8 * gigabyte,
    limitBytes: 6 * gigabyte,
    models: models.map((size, index) => ({ id: `ollama:${index}`, bytes: size * gigabyte })),
    ...changes,
  };
}

suite("memoryHistoryPage", () => {
  const evicted = event({
    at: "2025-11-03T13:30:00Z", kind: "evict", id: "pattern:shop_20251103_120000", bytes: 24 * 1024 ** 2, reason: "To make room for a|b.",
  });
  const refused = event({ at: "2025-11-03T13:40:00Z", kind: "refuse", bytes: 0, reason: "It takes more than the limit." });
  const history: MemoryHistory = {
    samples: [sample([2]), sample([2, 3.5], { availableBytes: 1.5 * gigabyte }), sample([], { limitBytes: 2 * gigabyte })],
    events: [event(), event({ id: "ollama:qwen:1b" }), evicted, refused],
  };

  test("the latest first, with a summary above", () => {
    const [first, second, last] = history.events.slice(1).map(({ at }) => cell(moment(at)));
    assert.equal(memoryHistoryPage(history, 24), `# Memory of the last 24 hours

What happened\\: 2 × loaded, 1 × unloaded to make room, 1 × not let in\\. Models took 5\\.5 GB at the most, when they were allowed 6\\.0 GB\\. The machine had 1\\.5 GB left at the least\\.

| When | What | Model | Size | Why |
|:--|:--|:--|--:|:--|
| ${last} | not let in | llama3\\.2\\:1b \\(Ollama\\) |  | It takes more than the limit\\. |
| ${second} | unloaded to make room | shop\\_20251103\\_120000 | 24 MB | To make room for a\\|b\\. |
| ${first} | loaded | llama3\\.2\\:1b \\(Ollama\\) | 2\\.0 GB | You chose it\\. |
| ${first} | loaded | qwen\\:1b \\(Ollama\\) | 2\\.0 GB | You chose it\\. |
`);
  });

  const summaries: [string, MemoryHistory, string][] = [
    ["nothing", nothing, "Nothing was loaded or unloaded, and memory was not looked at."],
    ["a machine that does not tell its memory", { events: [], samples: [withoutSystem(sample([1]))] },
      "Models took 1.0 GB at the most, when they were allowed 6.0 GB."],
    ["no event", { events: [], samples: [sample([])] },
      "Models took 0 KB at the most, when they were allowed 6.0 GB. The machine had 8.0 GB left at the least."],
    ["no sample yet", { ...nothing, events: [event()] }, "What happened: 1 × loaded."],
  ];
  for (const [name, of, expected] of summaries) {
    test(`the summary of ${name}`, () => {
      assert.equal(memoryHistoryPage(of, 24).split("\n")[2]?.replace(/\\(.)/g, "$1"), expected);
    });
  }

  test("without events there is no table", () => {
    assert.doesNotMatch(memoryHistoryPage({ ...nothing, samples: [sample([1])] }, 24), /\|/);
  });

  test("every kind is put in words, and one that only a newer server knows is shown as it is", () => {
    for (const kind of ["load", "unload", "evict", "refuse", "expire", "crash"]) {
      // In Spanish, because no name reads there as a word.
      const page = speaking("es", () => memoryHistoryPage({ ...nothing, events: [event({ kind })] }, 24));
      assert.doesNotMatch(page, new RegExp(`\\| ${kind} \\|`));
    }

    assert.match(memoryHistoryPage({ ...nothing, events: [event({ kind: "swap" })] }, 24), /\| swap \|/);
  });

  test("an id without a source is shown as it is", () => {
    assert.match(memoryHistoryPage({ ...nothing, events: [event({ id: "llama" })] }, 24), /\| llama \|/);
  });

  test("in Spanish", () => {
    const page = speaking("es", () => memoryHistoryPage(history, 24));
    assert.match(page, /^# La memoria en las últimas 24 horas\n/);
    assert.match(page, /\| Cuándo \| Qué \| Modelo \| Tamaño \| Por qué \|/);
  });
});

function withoutSystem({ at, limitBytes, models }: MemorySample): MemorySample {
  return { at, limitBytes, models };
}

function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll(":", "\\:").replaceAll(".", "\\.");
}
