import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ModelMemory, ServerStatus } from "../../src/server/protocol";
import {
  differsInFigures, modelMemory, noPressure, pressureOf, statusLabel, statusText, statusTooltip, trustedCommands, type Pressure, type Progress,
  type ServerView,
} from "../../src/status/status";
import { model, ollamaMemory, status } from "../support/samples";
import { speaking } from "../support/vscode";

const training: Progress = { title: "Training", percentage: 42, cancellable: true };
// Two minutes after the samples' last use.
const now = Date.parse("2025-11-03T12:02:00Z");
const tight: Pressure = { models: false, system: true };
const begun: Progress = { title: "Training", percentage: undefined, cancellable: true };

suite("statusText", () => {
  const cases: [string, ServerView, full: string, compact: string][] = [
    ["ready", reporting(), "$(chip) \u20079.0/16 GB · 1", "$(chip) 58%"],
    ["ready, nothing loaded", reporting({}, { models: 0 }), "$(chip) \u20079.0/16 GB", "$(chip) 58%"],
    ["ready, two loaded", reporting({}, { models: 2 }), "$(chip) \u20079.0/16 GB · 2", "$(chip) 58%"],
    ["training", reporting({ state: "training" }, { progress: training }), "$(sync~spin) 42% · \u20079.0/16 GB · 1", "$(sync~spin) 42%"],
    ["training, share unknown", reporting({ state: "training" }, { progress: begun }), "$(sync~spin) \u20079.0/16 GB · 1", "$(sync~spin) 58%"],
    ["training, no word of it yet", reporting({ state: "training" }), "$(sync~spin) \u20079.0/16 GB · 1", "$(sync~spin) 58%"],
    ["loading", reporting({ state: "loading" }), "$(loading~spin) \u20079.0/16 GB · 1", "$(loading~spin) 58%"],
    ["degraded", reporting({ state: "degraded" }), "$(warning) \u20079.0/16 GB · 1", "$(warning) 58%"],
    ["off", reporting({ state: "off" }), "$(circle-slash) \u20079.0/16 GB · 1", "$(circle-slash)"],
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
    assert.deepEqual(texts, Array.from({ length: 3 }, () => " \u20079.0/16 GB · 2"));
  });

  test("is as wide with one figure as with two", () => {
    const widths = [0.4, 9.94, 9.96, 15.2].map((used) => statusText(using(used), "full").length);
    assert.deepEqual(new Set(widths).size, 1);
    assert.equal(statusText(using(1.2), "compact").length, statusText(using(8), "compact").length);
    const percents = [1, 99].map((percentage) => statusText(reporting({ state: "training" }, { progress: { ...training, percentage } }), "full").length);
    assert.equal(percents[0], percents[1]);
  });

  test("warns of pressure, but shows that something goes on", () => {
    const cases: [Partial<ServerStatus>, full: string, compact: string][] = [
      [{}, "$(warning) \u20079.0/16 GB · 1", "$(warning) 58%"],
      [{ state: "off" }, "$(warning) \u20079.0/16 GB · 1", "$(warning) 58%"],
      [{ state: "loading", busy: true }, "$(loading~spin) \u20079.0/16 GB · 1", "$(loading~spin) 58%"],
    ];
    for (const [changes, full, compact] of cases) {
      assert.equal(statusText(reporting(changes), "full", tight), full);
      assert.equal(statusText(reporting(changes), "compact", tight), compact);
    }
  });

  test("in Spanish", () => {
    assert.equal(speaking("es", () => statusText(reporting(), "full")), "$(chip) \u20079,0/16 GB · 1");
  });
});

suite("pressureOf", () => {
  const percents: [string, number, before: Pressure, system: boolean][] = [
    ["below", 89.9, noPressure, false],
    ["from 90 percent on", 90, noPressure, true],
    ["stays while it goes up and down", 88, tight, true],
    ["until it is below 88 percent", 87.9, tight, false],
  ];
  for (const [name, systemUsedPercent, before, system] of percents) {
    test(`the machine: ${name}`, () => {
      const view = reporting({ memory: { ...status().memory, systemUsedPercent } });
      assert.deepEqual(pressureOf(view, before), { models: false, system });
    });
  }

  test("the models: above the limit", () => {
    for (const [modelsBytes, models] of [[99, false], [100, false], [101, true]] as const) {
      assert.deepEqual(pressureOf(reporting({ memory: { ...status().memory, limitBytes: 100, modelsBytes } }), noPressure), { models, system: false });
    }
  });

  test("none is known of a machine that does not tell, and of a server that does not run", () => {
    for (const view of [blind(), { kind: "stopped" } as const, { kind: "silent" } as const]) {
      assert.deepEqual(pressureOf(view, tight), noPressure);
    }
  });
});

suite("statusLabel", () => {
  test("tells pressure in words", () => {
    const both = { models: true, system: true };
    assert.match(statusLabel(reporting(), both), /^LLM Assist: ready\. Models take more than their limit\. The memory of this machine is nearly full\. System memory/);
    assert.match(speaking("es", () => statusLabel(reporting(), both)),
      /^LLM Assist: listo\. Los modelos ocupan más que su límite\. La memoria de este equipo está casi llena\. Memoria/);
  });

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
    assert.deepEqual(plain(tooltip(view)).split("\n").filter((line) => line.startsWith("|")), [
      "| | | |",
      "|:--|--:|:--|",
      "| System memory | 9.0 GB of 15.6 GB (58%) | ▰58 |",
      "| Models | 33 MB of at most 6.0 GB | ▰1 |",
      "| shop | 3 MB of 24 MB in RAM | Unload pattern:shop |",
      "| team | 5 MB | Unload pattern:team |",
      "| lib | 25 MB in RAM | Unload pattern:lib |",
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
      assert.ok(plain(tooltip(view)).includes(`\n| qwen2.5-coder:1.5b (Ollama) | ${expected} | Unload`), plain(tooltip(view)));
    }

    assert.equal(speaking("es", () => modelMemory(ollamaMemory(), now)), "1,3 GB en RAM · 4000 tokens de contexto");
    // Older versions of Ollama do not tell the context.
    assert.equal(modelMemory(model({ source: "ollama", bytes: 1024 ** 3, mappedBytes: 0 }), now), "1.0 GB in RAM");
  });

  test("names models without when they were trained, but for two of one name", () => {
    const view: ServerView = {
      kind: "reporting",
      status: status({}, ["net_20261120_210334", "shop_20261120_210334", "shop_20261121_090000"].map((name) => model({ id: `pattern:${name}` }))),
      progress: undefined,
    };
    assert.deepEqual([...tooltip(view).replaceAll("\\", "").matchAll(/^\| (\w+) .*in RAM/gm)].map(([, name]) => name), ["net", "shop_20261120_210334", "shop_20261121_090000"]);
  });

  test("tells first of all that the workspace is not trusted, and does not offer to train on it", () => {
    const text = statusTooltip({ kind: "reporting", status: status({}, []), progress: undefined }, now, undefined, false);
    assert.match(text, /not trusted.*\[Manage Workspace Trust\]\(command:workbench\.trust\.manage\)\n\n\|/);
    assert.doesNotMatch(text, /Train on Workspace/);
  });

  test("marks what is pinned", () => {
    const view: ServerView = {
      kind: "reporting",
      status: status({}, [model({ pinned: true }), ollamaMemory({ pinned: true }), ollamaMemory({ id: "ollama:llama3.2:1b" })]),
      progress: undefined,
    };
    assert.deepEqual(plain(tooltip(view)).split("\n").filter((line) => line.startsWith("|")).slice(4), [
      "| shop | 3 MB of 24 MB in RAM · pinned | Unload pattern:shop |",
      "| qwen2.5-coder:1.5b (Ollama) | 1.3 GB in RAM · 4,000 tokens of context · pinned | Unload ollama:qwen2.5-coder:1.5b |",
      "| llama3.2:1b (Ollama) | 1.3 GB in RAM · 4,000 tokens of context | Unload ollama:llama3.2:1b |",
    ]);
  });

  test("tells for how long a model is unused, in steps that last", () => {
    const cases: [minutes: number, english: string, spanish: string][] = [
      [9, "", ""],
      [14, "unused for 10 minutes", "sin usar desde hace 10 minutos"],
      [59, "unused for 55 minutes", "sin usar desde hace 55 minutos"],
      [60, "unused for 1 hour", "sin usar desde hace 1 hora"],
      [1439, "unused for 23 hours", "sin usar desde hace 23 horas"],
      [3000, "unused for 2 days", "sin usar desde hace 2 días"],
    ];
    for (const [minutes, english, spanish] of cases) {
      const later = Date.parse(model().lastUsed) + minutes * 60_000;
      const words = (): string => modelMemory(model(), later).split(" · ")[1] ?? "";
      assert.equal(words(), english);
      assert.equal(speaking("es", words), spanish);
      assert.doesNotMatch(modelMemory(model({ busy: true }), later), /unused/);
    }
  });

  test("tells pressure in words and colors", () => {
    assert.match(plain(tooltip(reporting(), { models: true, system: true })), /^\*\*LLM Assist\*\*: ready · models take more than their limit · the memory of this machine is nearly full\n/);
    const colors = (pressure?: Pressure): (string | undefined)[] =>
      [...tooltip(reporting(), pressure).matchAll(/fill%3D%22%23(\w+)%22%2F%3E/g)].map(([, color]) => color);
    const [system, models] = colors();
    assert.ok(system !== undefined && system === models);
    assert.notEqual(colors(tight)[0], system);
    assert.equal(colors(tight)[1], models);
  });

  test("gives advice below the table, before what can be done", () => {
    const { memory } = status();
    const advice = ["Little memory is left.", "Unload <llama>."];
    const text = plain(tooltip(reporting({ memory: { ...memory, advice } })));
    assert.match(text, /Unload [\w:]+ \|\n\nLittle memory is left\.\n\nUnload <llama>\.\n\n\[Train/);
    assert.equal(tooltip(reporting({ memory: { ...memory, advice: [] } })), tooltip(reporting()));
  });

  test("with limits tells which, and what helps first", () => {
    const message = "Ollama does not answer at http://127.0.0.1:11434.";
    const text = tooltip(reporting({ state: "degraded", message }));
    assert.ok(plain(text).includes(`working with limits\n\n${message}\n`), text);
    assert.deepEqual(commandsIn(text), [
      "llmAssist.unloadModel",
      "llmAssist.chooseModel",
      "llmAssist.showLog",
      "llmAssist.trainWorkspace",
      "llmAssist.setMemoryLimit",
      "llmAssist.explainCompletion",
    ]);
  });

  test("says nothing of a memory that the server cannot read", () => {
    for (const text of [tooltip(blind()), statusLabel(blind())]) {
      assert.doesNotMatch(text, /System memory|NaN|undefined/);
    }
  });

  test("offers to cancel what can be cancelled, else to train", () => {
    const idle = tooltip(reporting());
    const busy = tooltip(reporting({ state: "training" }, { progress: training }));
    const stubborn = tooltip(reporting({ state: "training" }, { progress: { ...training, cancellable: false } }));
    assert.match(idle, /\(command:llmAssist\.trainWorkspace\)/);
    assert.match(stubborn, /\(command:llmAssist\.trainWorkspace\)/);
    assert.match(busy, /\(command:llmAssist\.cancelTraining\)/);
    assert.doesNotMatch(busy, /trainWorkspace/);
  });

  test("stays the same while the percents count", () => {
    const [start, later] = [1, 42].map((percentage) =>
      tooltip(reporting({ state: "training" }, { progress: { ...training, percentage } })));
    assert.equal(start, later);

    const [before, after] = ["Training: 1 %", "Training: 42 %"].map((message) =>
      tooltip(reporting({ state: "training", message })));
    assert.equal(before, after);
  });

  test("can wait while only figures differ", () => {
    const before = tooltip(using(9));
    assert.ok(differsInFigures(before, tooltip(using(9.3))));
    assert.ok(!differsInFigures(before, tooltip(using(9.3), tight)));
    assert.ok(!differsInFigures(before, tooltip(reporting({}, { models: 2 }))));
    assert.ok(!differsInFigures(before, tooltip(reporting({ state: "degraded" }))));

    const [older, newer] = ["pattern:shop_20251103_120000", "pattern:shop_20251103_130000"].map((id) =>
      tooltip({ kind: "reporting", status: status({}, [model({ id })]), progress: undefined }));
    assert.ok(!differsInFigures(older ?? "", newer ?? ""));
  });

  test("without a server offers only what works without one", () => {
    for (const view of [{ kind: "failed", message: "Gone." }, { kind: "starting" }, { kind: "stopped" }] as const) {
      assert.deepEqual(commandsIn(tooltip(view)), ["llmAssist.restart", "llmAssist.showLog"]);
    }
  });

  test("words of the server and names of models cannot become markup", () => {
    const nasty = "[x](command:workbench.action.quit) | <b>*_`\n# $(zap)";
    const view = reporting({ message: nasty }, { models: 0 });
    const table: ServerView = { kind: "reporting", status: status({}, [model({ id: nasty })]), progress: undefined };
    const advised = reporting({ memory: { ...status().memory, advice: [nasty] } });
    for (const text of [tooltip(view), tooltip(table), tooltip(advised)]) {
      assert.doesNotMatch(text, /(?<!\\)\]\(command:workbench/);
      assert.doesNotMatch(text, /(?<!\\)[<`]|^#/m);
    }

    // The row keeps its three cells.
    const row = tooltip(table).split("\n").find((line) => line.includes("workbench")) ?? "";
    assert.equal(row.match(/(?<!\\)\|/g)?.length, 4);
  });

  test("a command of the server is offered if it is one of ours, and only then trusted", () => {
    const ours = reporting({ command: { title: "Keep (it)", command: "llmAssist.models.load", arguments: [{ id: "pattern:a(b)" }] } });
    const foreign = reporting({ command: { title: "Quit", command: "workbench.action.quit" } });

    const target = /\(command:llmAssist\.models\.load\?([^)]*)\)/.exec(tooltip(ours))?.[1] ?? "";
    assert.deepEqual(JSON.parse(decodeURIComponent(target)), [{ id: "pattern:a(b)" }]);
    assert.ok(trustedCommands(ours).includes("llmAssist.models.load"));
    assert.doesNotMatch(tooltip(foreign), /workbench/);
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

function using(gigabytes: number): ServerView {
  const { memory } = status();
  const total = 15.6 * 1024 ** 3;
  const used = gigabytes * 1024 ** 3;
  return reporting({ memory: { ...memory, systemAvailableBytes: total - used, systemUsedPercent: used / total * 100 } });
}

function tooltip(view: ServerView, pressure?: Pressure): string {
  return statusTooltip(view, now, pressure);
}

function commandsIn(tooltip: string): (string | undefined)[] {
  return [...tooltip.matchAll(/command:([\w.]+)/g)].map(([, id]) => id);
}

// Bars as their share in percent, links that unload as the id that they are about.
function plain(markdown: string): string {
  return markdown
    .replace(/!\[\]\(([^)]*)\)/g, (_, picture: string) => `▰${/.*width="(\d+)"/.exec(decodeURIComponent(picture))?.[1] ?? ""}`)
    .replace(/\[Unload\]\(command:llmAssist\.unloadModel\?([^)]*)\)/g, (_, argument: string) =>
      `Unload ${(JSON.parse(decodeURIComponent(argument)) as [{ id: string }])[0].id}`)
    .replace(/\\(.)/g, "$1")
    .replaceAll("&emsp;", "");
}
