import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { choiceKey, choiceRows, settingWrite, type ChoiceRow, type OllamaSettings, type SettingLayers, type SettingWrite } from "../../src/models/choice";
import type { ListedModel } from "../../src/server/protocol";
import { ollamaModel, patternModel } from "../support/samples";
import { speaking } from "../support/vscode";

const untouched: OllamaSettings = { source: "auto", enabled: true, model: "" };
const patternHeading = "pattern models of your code";
const ollamaHeading = "Ollama";
const download = "cloud-download: Download a model…";
const lost = "info: No model was found. Is Ollama running?";

function written({ icon, label, detail }: ChoiceRow): string {
  return icon === undefined ? label : `${icon}: ${label}${icon === "info" && detail !== "" ? `, ${detail}` : ""}`;
}

suite("choiceRows", () => {
  const shop = patternModel();
  const lib = patternModel({ id: "pattern:lib_20251103_120000", name: "lib", loaded: false });
  const qwen = ollamaModel();
  const llama = ollamaModel({ id: "ollama:llama3.2:1b", name: "llama3.2:1b", loaded: false, current: false, fillsMiddle: false });
  const nomic = ollamaModel({ id: "ollama:nomic-embed-text:latest", capabilities: ["embedding"], current: false });

  const cases: [string, ListedModel[], Partial<OllamaSettings>, string[]][] = [
    ["both kinds, each under its heading", [shop, lib, qwen, llama], {}, [
      patternHeading, "check: shop", "blank: lib",
      ollamaHeading, "check: qwen2.5-coder:1.5b", "blank: llama3.2:1b", "blank: None: pattern models only", download,
    ]],
    ["what fits before what does not", [shop, { ...llama, name: "big", fit: "no" }, { ...llama, name: "little", fit: "now" }, qwen], {}, [
      patternHeading, "check: shop",
      ollamaHeading, "check: qwen2.5-coder:1.5b", "blank: little", "blank: big", "blank: None: pattern models only", download,
    ]],
    ["nothing yet", [], {}, [
      patternHeading, "mortar-board: Train on Workspace",
      ollamaHeading, lost, "check: None: pattern models only", download,
    ]],
    ["a model that was chosen and does not run", [shop, { ...qwen, current: false }], { model: "qwen2.5-coder:1.5b" }, [
      patternHeading, "check: shop",
      ollamaHeading, "blank: qwen2.5-coder:1.5b", "blank: None: pattern models only", download,
    ]],
    ["models that do not complete are left out", [shop, nomic], {}, [
      patternHeading, "check: shop",
      ollamaHeading, "check: None: pattern models only", download,
    ]],
    ["Ollama switched off", [shop], { enabled: false }, [
      patternHeading, "check: shop",
      ollamaHeading, "info: Not asked, The setting llmAssist.ollama.enabled is off",
    ]],
    ["pattern models only", [shop, qwen], { source: "pattern" }, [
      patternHeading, "check: shop",
      ollamaHeading, "info: Not asked, The setting llmAssist.completion.source is “pattern”",
      "check: qwen2.5-coder:1.5b", "blank: None: pattern models only", download,
    ]],
    ["Ollama only", [shop], { source: "ollama" }, [
      patternHeading, "info: Not asked, The setting llmAssist.completion.source is “ollama”", "check: shop",
      ollamaHeading, lost, "check: None: pattern models only", download,
    ]],
  ];
  for (const [name, models, settings, labels] of cases) {
    test(name, () => {
      assert.deepEqual(choiceRows(models, { ...untouched, ...settings }).map(written), labels);
    });
  }

  test("a chosen model that is not in use says so", () => {
    const description = (name: string, model: string): string | undefined =>
      choiceRows([ollamaModel({ name, loaded: false, current: false, contextTokens: undefined })], { ...untouched, model }).find(({ label }) => label === name)?.description;
    assert.equal(description("llama3:latest", "llama3"), "chosen, not in use");
    assert.equal(description("llama3:latest", "llama3:latest"), "chosen, not in use");
    assert.equal(description("llama3:latest", "qwen"), "");
  });

  test("only headings do nothing", () => {
    const idle = choiceRows([shop, qwen], untouched).filter(({ action }) => action === undefined).map(({ label }) => label);
    assert.deepEqual(idle, [patternHeading, ollamaHeading]);
  });

  test("none knows whom it replaces", () => {
    const none = choiceRows([qwen, llama], untouched).find(({ action }) => action?.kind === "none");
    assert.deepEqual(none?.action, { kind: "none", current: qwen });
  });

  test("every row has a key of its own, which outlives its mark", () => {
    const keys = (models: ListedModel[]): string[] => choiceRows(models, untouched).map(choiceKey);
    const before = keys([shop, lib, qwen, llama]);
    assert.equal(new Set(before).size, before.length);
    assert.deepEqual(keys([{ ...shop, loaded: false }, { ...lib, loaded: true }, qwen, llama]), before);
  });

  test("in Spanish", () => {
    assert.deepEqual(speaking("es", () => choiceRows([], untouched)).map(({ label }) => label), [
      "modelos de patrones de su código",
      "Entrenar con el área de trabajo",
      "Ollama",
      "No se encontró ningún modelo. ¿Está Ollama en marcha?",
      "Ninguno: solo modelos de patrones",
      "Descargar un modelo…",
    ]);
  });
});

test("a choice is kept where the setting is, else for the user", () => {
  const cases: [string, SettingLayers, string, SettingWrite][] = [
    ["first choice", {}, "a", { place: "global", value: "a" }],
    ["another choice", { globalValue: "a" }, "b", { place: "global", value: "b" }],
    ["none", { globalValue: "a" }, "", { place: "global", value: undefined }],
    ["the workspace has its own", { globalValue: "a", workspaceValue: "b" }, "c", { place: "workspace", value: "c" }],
    ["the workspace has its own, then none", { workspaceValue: "b" }, "", { place: "workspace", value: undefined }],
    ["none must not bring the user's back", { globalValue: "a", workspaceValue: "b" }, "", { place: "workspace", value: "" }],
  ];
  for (const [name, layers, value, expected] of cases) {
    assert.deepEqual(settingWrite(layers, value), expected, name);
  }
});
