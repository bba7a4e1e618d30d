import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ModelMemory, ServerStatus } from "../../src/server/protocol";
import { modelMemory, statusLabel, statusText, statusTooltip, trustedCommands, type Progress, type ServerView } from "../../src/status/status";
import { model, ollamaMemory, status } from "../support/samples";
import { speaking } from "../support/vscode";

const training: Progress = { title: "Training", percentage: 42, cancellable: true };
const begun: Progress = { title: "Training", percentage: undefined, cancellable: true };

suite("statusText", () => {
  const cases: [string, ServerView, full: string, compact: string][] = [
    ["ready", reporting(), "$(chip) 9.0/16 GB · 1", "$(chip) 58%"],
    ["ready, nothing loaded", reporting({}, { models: 0 }), "$(chip) 9.0/16 GB", "$(chip) 58%"],
    ["ready, two loaded", reporting({}, { models: 2 }), "$(chip) 9.0/16 GB · 2", "$(chip) 58%"],
    ["training", reporting({ state: "training" }, { progress: training }), "$(sync~spin) 42% · 9.0/16 GB · 1", "$(sync~spin) 42%"],
    ["training, share unknown", reporting({ state: "training" }, { progress: begun }), "$(sync~spin) 9.0/16 GB · 1", "$(sync~spin) 58%"],
    ["training, no word of it yet", reporting({ state: "training" }), "$(sync~spin) 9.0/16 GB · 1", "$(sync~spin) 58%"],
    ["loading", reporting({ state: "loading" }), "$(loading~spin) 9.0/16 GB · 1", "$(loading~spin) 58%"],
    ["degraded", reporting({ state: "degraded" }), "$(warning) 9.0/16 GB · 1", "$(warning) 58%"],
    ["off", reporting({ state: "off" }), "$(circle-slash) 9.0/16 GB · 1", "$(circle-slash)"],
    ["ready, memory unknown", blind(), "$(chip) LLM Assist · 1", "$(chip)"],
    ["starting", { kind: "starting" }, "$(loading~spin) LLM Assist", "$(loading~spin)"],
    ["stopped", { kind: "stopped" }, "$(circle-slash) LLM Assist", "$(circle-slash)"],
    ["failed", { kind: "failed", message: "no runtime" }, "$(error) LLM Assist", "$(error)"],
    ["silent", { kind: "silent" }, "$(chip) LLM Assist", "$(chip)"],
  ];
  for (const [name, view, full, compact] of cases) {
    test(name, () => {
      assert.equal(statusText(view, "full"), full);
      assert.equal(statusText(view, "compact"), compact);
      assert.equal(statusText(view, "off"), "");
    });
  }

  test("is as wide while a model of Ollama comes, works and fails", () => {
    const models = [model(), ollamaMemory()];
    const texts = (["loading", "ready", "degraded"] as const).map((state) =>
      statusText({ kind: "reporting", status: status({ state }, models), progress: undefined }, "full").replace(/^\$\([^)]+\)/, ""));
    assert.deepEqual(texts, Array.from({ length: 3 }, () => " 9.0/16 GB · 2"));
  });

  test("in Spanish", () => {
    assert.equal(speaking("es", () => statusText(reporting(), "full")), "$(chip) 9,0/16 GB · 1");
  });
});

suite("statusLabel", () => {
  const cases: [string, ServerView, english: string, spanish: string][] = [
    ["one model", reporting(),
      "LLM Assist: ready. System memory: 9.0 GB of 15.6 GB used. 1 model loaded",
      "LLM Assist: listo. Memoria del sistema: 9,0 GB de 15,6 GB en uso. 1 modelo cargado"],
    ["training", reporting({ state: "training" }, { models: 0, progress: training }),
      "LLM Assist: training, 42%. System memory: 9.0 GB of 15.6 GB used. 0 models loaded",
      "LLM Assist: entrenando, 42 %. Memoria del sistema: 9,0 GB de 15,6 GB en uso. 0 modelos cargados"],
    ["with a message", reporting({ state: "degraded", message: "Two files were skipped." }, { models: 2 }),
      "LLM Assist: working with limits. System memory: 9.0 GB of 15.6 GB used. 2 models loaded. Two files were skipped",
      "LLM Assist: funciona con limitaciones. Memoria del sistema: 9,0 GB de 15,6 GB en uso. 2 modelos cargados. Two files were skipped"],
    ["training while off", reporting({ state: "off" }, { models: 0, progress: training }),
      "LLM Assist: completions are off. System memory: 9.0 GB of 15.6 GB used. 0 models loaded",
      "LLM Assist: sugerencias desactivadas. Memoria del sistema: 9,0 GB de 15,6 GB en uso. 0 modelos cargados"],
    ["failed", { kind: "failed", message: "No runtime." }, "LLM Assist: No runtime.", "LLM Assist: No runtime."],
  ];
  for (const [name, view, english, spanish] of cases) {
    test(name, () => {
      assert.equal(statusLabel(view), english);
      assert.equal(speaking("es", () => statusLabel(view)).replaceAll("\u00a0", " "), spanish);
    });
  }
});

suite("statusTooltip", () => {
  test("tells memory, limit and every model, of mapped files how much is in RAM", () => {
    const view: ServerView = {
      kind: "reporting",
      status: status({}, [model(), model({ id: "pattern:team", bytes: 5 * 1024 ** 2, mappedBytes: 0 }), model({ id: "pattern:lib", bytes: 25 * 1024 ** 2 })]),
      progress: undefined,
    };
    assert.deepEqual(plain(statusTooltip(view)).split("\n").filter((line) => line.startsWith("|")), [
      "| | |",
      "|:--|--:|",
      "| System memory | 9.0 GB of 15.6 GB (58%) |",
      "| Models | 33 MB of at most 6.0 GB |",
      "| shop | 3 MB of 24 MB in RAM |",
      "| team | 5 MB |",
      "| lib | 25 MB of 25 MB in RAM |",
    ]);
  });

  test("tells of a model of Ollama where it lies and how much it sees", () => {
    const cases: [Partial<ModelMemory>, string][] = [
      [{}, "1.3 GB in RAM · 4,000 tokens of context"],
      [{ vramBytes: 512 * 1024 ** 2 }, "1.3 GB in RAM · 512 MB in VRAM · 4,000 tokens of context"],
      [{ bytes: 0, vramBytes: 1.5 * 1024 ** 3 }, "1.5 GB in VRAM · 4,000 tokens of context"],
    ];
    for (const [changes, expected] of cases) {
      const view: ServerView = { kind: "reporting", status: status({}, [model(), ollamaMemory(changes)]), progress: undefined };
      assert.ok(plain(statusTooltip(view)).includes(`\n| qwen2.5-coder:1.5b (Ollama) | ${expected} |`), plain(statusTooltip(view)));
    }

    assert.equal(speaking("es", () => modelMemory(ollamaMemory())), "1,3 GB en RAM · 4000 tokens de contexto");
    // Older versions of Ollama do not tell the context.
    assert.equal(modelMemory(model({ source: "ollama", bytes: 1024 ** 3, mappedBytes: 0 })), "1.0 GB in RAM");
  });

  test("marks what is pinned", () => {
    const view: ServerView = {
      kind: "reporting",
      status: status({}, [model({ pinned: true }), ollamaMemory({ pinned: true }), ollamaMemory({ id: "ollama:llama3.2:1b" })]),
      progress: undefined,
    };
    assert.deepEqual(plain(statusTooltip(view)).split("\n").filter((line) => line.startsWith("|")).slice(4), [
      "| shop | 3 MB of 24 MB in RAM · pinned |",
      "| qwen2.5-coder:1.5b (Ollama) | 1.3 GB in RAM · 4,000 tokens of context · pinned |",
      "| llama3.2:1b (Ollama) | 1.3 GB in RAM · 4,000 tokens of context |",
    ]);
  });

  test("gives advice below the table, before what can be done", () => {
    const { memory } = status();
    const advice = ["Little memory is left.", "Unload <llama>."];
    const text = plain(statusTooltip(reporting({ memory: { ...memory, advice } })));
    assert.match(text, /in RAM \|\n\nLittle memory is left\.\n\nUnload <llama>\.\n\n\[Train/);
    assert.equal(statusTooltip(reporting({ memory: { ...memory, advice: [] } })), statusTooltip(reporting()));
  });

  test("with limits tells which, and what helps first", () => {
    const message = "Ollama does not answer at http://127.0.0.1:11434.";
    const text = statusTooltip(reporting({ state: "degraded", message }));
    assert.ok(plain(text).includes(`working with limits\n\n${message}\n`), text);
    assert.deepEqual(commandsIn(text), [
      "llmAssist.chooseModel",
      "llmAssist.showLog",
      "llmAssist.trainWorkspace",
      "llmAssist.explainCompletion",
    ]);
  });

  test("says nothing of a memory that the server cannot read", () => {
    for (const text of [statusTooltip(blind()), statusLabel(blind())]) {
      assert.doesNotMatch(text, /System memory|NaN|undefined/);
    }
  });

  test("offers to cancel what can be cancelled, else to train", () => {
    const idle = statusTooltip(reporting());
    const busy = statusTooltip(reporting({ state: "training" }, { progress: training }));
    const stubborn = statusTooltip(reporting({ state: "training" }, { progress: { ...training, cancellable: false } }));
    assert.match(idle, /\(command:llmAssist\.trainWorkspace\)/);
    assert.match(stubborn, /\(command:llmAssist\.trainWorkspace\)/);
    assert.match(busy, /\(command:llmAssist\.cancelTraining\)/);
    assert.doesNotMatch(busy, /trainWorkspace/);
  });

  test("stays the same while the percents count", () => {
    const [start, later] = [1, 42].map((percentage) =>
      statusTooltip(reporting({ state: "training" }, { progress: { ...training, percentage } })));
    assert.equal(start, later);

    const [before, after] = ["Training: 1 %", "Training: 42 %"].map((message) =>
      statusTooltip(reporting({ state: "training", message })));
    assert.equal(before, after);
  });

  test("without a server offers only what works without one", () => {
    for (const view of [{ kind: "failed", message: "Gone." }, { kind: "starting" }, { kind: "stopped" }] as const) {
      assert.deepEqual(commandsIn(statusTooltip(view)), ["llmAssist.restart", "llmAssist.showLog"]);
    }
  });

  test("words of the server and names of models cannot become markup", () => {
    const nasty = "[x](command:workbench.action.quit) | <b>*_`\n# $(zap)";
    const view = reporting({ message: nasty }, { models: 0 });
    const table: ServerView = { kind: "reporting", status: status({}, [model({ id: nasty })]), progress: undefined };
    const advised = reporting({ memory: { ...status().memory, advice: [nasty] } });
    for (const text of [statusTooltip(view), statusTooltip(table), statusTooltip(advised)]) {
      assert.doesNotMatch(text, /(?<!\\)\]\(command:workbench/);
      assert.doesNotMatch(text, /(?<!\\)[<`]|^#/m);
    }

    // The row keeps its two cells.
    const row = statusTooltip(table).split("\n").find((line) => line.includes("workbench")) ?? "";
    assert.equal(row.match(/(?<!\\)\|/g)?.length, 3);
  });

  test("a command of the server is offered if it is one of ours, and only then trusted", () => {
    const ours = reporting({ command: { title: "Keep (it)", command: "llmAssist.models.load", arguments: [{ id: "pattern:a(b)" }] } });
    const foreign = reporting({ command: { title: "Quit", command: "workbench.action.quit" } });

    const target = /\(command:llmAssist\.models\.load\?([^)]*)\)/.exec(statusTooltip(ours))?.[1] ?? "";
    assert.deepEqual(JSON.parse(decodeURIComponent(target)), [{ id: "pattern:a(b)" }]);
    assert.ok(trustedCommands(ours).includes("llmAssist.models.load"));
    assert.doesNotMatch(statusTooltip(foreign), /workbench/);
    assert.ok(!trustedCommands(foreign).includes("workbench.action.quit"));
  });
});

function reporting(
  changes: Partial<ServerStatus> = {},
  { models = 1, progress }: { models?: number; progress?: Progress } = {},
): ServerView {
  return { kind: "reporting", status: status(changes, Array.from({ length: models }, () => model())), progress };
}

function blind(): ServerView {
  const { limitBytes, modelsBytes, models } = status().memory;
  return { kind: "reporting", status: status({ memory: { limitBytes, modelsBytes, models } }), progress: undefined };
}

function commandsIn(tooltip: string): (string | undefined)[] {
  return [...tooltip.matchAll(/command:([\w.]+)/g)].map(([, id]) => id);
}

function plain(markdown: string): string {
  return markdown.replace(/\\(.)/g, "$1").replaceAll("&emsp;", "");
}
