// What the view of models says: its rows, and what stands there while it has none. Pure; modelsView.ts draws it.

import { l10n } from "vscode";
import type { ListedModel, ModelMemory, OllamaModel, PatternModel, ServerStatus } from "../server/protocol";
import { modelMemory, type ServerView } from "../status/status";
import { bytes, count, moment } from "../window/figures";
import { escaped } from "../window/markdown";
import { paletteCommands } from "../window/paletteCommands";
import { isAmong } from "./folders";
import { byFit, completes, hostName, modelLines, nameOf } from "./models";

export interface TreeFacts {
  models: ListedModel[];
  /** What is in memory, as it was reported last: more often than `models` are listed, but not at once after a command. */
  memory: ModelMemory[];
  /** What is trained on here: absolute paths. */
  folders: string[];
  isTrusted: boolean;
  isTraining: boolean;
  isOllamaEnabled: boolean;
}

export interface ModelRow {
  /** Of a model its own id, by which commands know it; stays the same, so that the editor keeps what is selected and open. */
  id: string;
  label: string;
  description: string;
  /** In Markdown. */
  tooltip: string;
  /** What a screen reader says. */
  spoken: string;
  /** The name of an icon; empty for none. */
  icon: string;
  /** What can be done with it, in words that the menus of package.json look for. */
  actions: Action[];
  /** What a click does, if anything. */
  command?: { command: string; title: string; arguments: unknown[] };
  children: ModelRow[];
  isOpen: boolean;
}

export const actions = ["load", "unload", "pin", "unpin", "compare", "delete", "deleteOlder"] as const;

export type Action = typeof actions[number];

/** The sections with their rows; empty if there is no model at all. */
export function modelRows(facts: TreeFacts): ModelRow[] {
  if (facts.models.length === 0) {
    return [];
  }

  const memory = new Map(facts.memory.map((model) => [model.id, model]));
  const sorted = byFit(facts.models);
  const pattern = sorted.filter((model) => model.source === "pattern");
  const ollama = sorted.filter((model) => model.source === "ollama");
  const isOwn = (model: PatternModel): boolean => model.folders.some((folder) => isAmong(folder, facts.folders));
  // A model of the cloud takes no memory of this machine.
  const takesMemory = (model: OllamaModel): boolean => model.loaded && model.remoteHost === undefined;

  const patternRow = (versions: PatternModel[]): ModelRow[] => named(versions, memory, 1 < pattern.length);
  const own = pattern.filter(isOwn);
  return [
    section(
      "workspace",
      l10n.t("This workspace"),
      l10n.t("Pattern models that learned from the folders of this workspace; older versions are below the newest."),
      own.length === 0 ? nothingTrained(facts) : patternRow(own),
    ),
    section(
      "others",
      l10n.t("Other pattern models"),
      l10n.t("Pattern models that learned from other folders. Load one to complete from it here too."),
      patternRow(pattern.filter((model) => !isOwn(model))),
    ),
    section(
      "memory",
      l10n.t("Ollama: in memory"),
      l10n.t("Models that Ollama has in memory now, whoever loaded them."),
      ollama.filter(takesMemory).map((model) => ollamaRow(model, memory.get(model.id))),
    ),
    section(
      "installed",
      l10n.t("Ollama: installed"),
      l10n.t("Models that Ollama has on disk; what fits into memory now comes first."),
      ollama.filter((model) => !takesMemory(model)).map((model) => ollamaRow(model, undefined)),
    ),
    section("noOllama", "Ollama", "", ollama.length === 0 ? [noOllama(facts)] : []),
  ].filter(({ children }) => children.length !== 0);
}

/** The row that has the row of this id below it, if any. */
export function parentOf(id: string, rows: ModelRow[]): ModelRow | undefined {
  return rows.find(({ children }) => children.some((child) => child.id === id))
    ?? rows.flatMap(({ children }) => parentOf(id, children) ?? [])[0];
}

/**
 * Takes over into `shown` what its rows say in `next`, and answers the rows that have changed; undefined, with nothing taken over, if rows came
 * or went, or one with others below it has changed: then all of them are to be drawn anew.
 */
export function adopted(shown: ModelRow[], next: ModelRow[]): ModelRow[] | undefined {
  if (shown.length !== next.length) {
    return undefined;
  }

  const pairs = shown.map((row, index): [ModelRow, ModelRow | undefined] => [row, next[index]]);
  const isKept = ([row, other]: [ModelRow, ModelRow | undefined]): boolean => other?.id === row.id && (row.children.length === 0
    ? other.children.length === 0
    : saying(row) === saying(other) && row.children.length === other.children.length
      && row.children.every((child, index) => isKept([child, other.children[index]])));
  if (!pairs.every(isKept)) {
    return undefined;
  }

  return pairs.flatMap(([row, other]) => {
    if (other === undefined || row.children.length !== 0) {
      return adopted(row.children, other?.children ?? []) ?? [];
    }

    const hasChanged = saying(row) !== saying(other);
    Object.assign(row, other);
    return hasChanged ? [row] : [];
  });
}

// All of a row but those below it.
function saying(row: ModelRow): string {
  return JSON.stringify({ ...row, children: [] });
}

/** What stands in the view instead of rows, if anything: the words that `viewsWelcome` of package.json looks for. */
export const welcomes = ["stopped", "noFolder", "untrusted", "training", "noModel"] as const;

/** `models` are undefined while they are not listed. */
export function welcome(
  view: ServerView["kind"],
  models: ListedModel[] | undefined,
  { folders, isTrusted, isTraining }: Omit<TreeFacts, "models" | "memory" | "isOllamaEnabled">,
): typeof welcomes[number] | undefined {
  if (view === "stopped" || view === "failed") {
    return "stopped";
  }

  if (view === "starting" || models === undefined || models.length !== 0) {
    return undefined;
  }

  if (isTraining) {
    return "training";
  }

  if (folders.length === 0) {
    return "noFolder";
  }

  return isTrusted ? "noModel" : "untrusted";
}

/** Whatever of a status makes it worth listing the models anew, as a text to compare: not the bytes, which change by the second. */
export function listingKey({ state, memory }: ServerStatus): string {
  return [state, ...memory.models.map(({ id, pinned }) => `${id} ${String(pinned)}`).sort()].join("\n");
}

function section(id: string, label: string, tooltip: string, children: ModelRow[]): ModelRow {
  return { ...row(`section:${id}`, label, ""), tooltip, children, isOpen: true };
}

function row(id: string, label: string, icon: string, parts: string[] = []): ModelRow {
  const known = parts.filter((part) => part !== "");
  return {
    id,
    label,
    icon,
    description: known.join(" · "),
    // A part may have parts of its own.
    spoken: [label, ...known].join(", ").replaceAll(" · ", ", "),
    tooltip: "",
    actions: [],
    children: [],
    isOpen: false,
  };
}

// A model for each name, with the older ones below it. The server lists the newest first.
function named(versions: PatternModel[], memory: Map<string, ModelMemory>, hasOthers: boolean): ModelRow[] {
  return [...new Set(versions.map(({ name }) => name))].flatMap((name): ModelRow[] => {
    const [newest, ...older] = versions.filter((model) => model.name === name);
    return newest === undefined ? [] : [{
      ...patternRow(newest, name, memory.get(newest.id), hasOthers, older.length !== 0),
      children: older.map((model) => patternRow(model, moment(model.createdAt), memory.get(model.id), hasOthers, false)),
    }];
  });
}

function patternRow(model: PatternModel, label: string, memory: ModelMemory | undefined, hasOthers: boolean, hasOlder: boolean): ModelRow {
  const { loaded, pinned, sizeBytes, patternsStored, createdAt, folders } = model;
  const taken = !loaded || memory === undefined ? "" : modelMemory({ ...memory, pinned: false });
  const parts = [
    loaded ? l10n.t("in use") : "",
    pinned ? l10n.t("pinned") : "",
    taken === "" ? bytes(sizeBytes) : taken,
    label === model.name ? moment(createdAt) : "",
  ];
  const facts: [string, string][] = [
    [l10n.t("Trained"), moment(createdAt)],
    [l10n.t("On"), folders.join(", ")],
    [l10n.t("Patterns"), count(patternsStored)],
    [l10n.t("On disk"), bytes(sizeBytes)],
    [l10n.t("In memory"), taken],
  ];
  const state = loaded
    ? l10n.t("In use: code is completed from it.")
    : l10n.t("Not in use. Load it to have code completed from it.");
  return {
    ...row(model.id, label, loaded ? "pass-filled" : "circle-outline", parts),
    tooltip: tooltip(model.name, state, facts),
    actions: [...memoryActions(model), ...hasOthers ? ["compare" as const] : [], "delete", ...hasOlder ? ["deleteOlder" as const] : []],
  };
}

function ollamaRow(model: OllamaModel, memory: ModelMemory | undefined): ModelRow {
  const { id, name, sizeBytes, remoteHost, parameterSize = "", quantization = "", fillsMiddle } = model;
  const facts: [string, string][] = [
    [l10n.t("In memory"), memory === undefined ? "" : modelMemory({ ...memory, pinned: false })],
    [l10n.t("On disk"), remoteHost === undefined ? bytes(sizeBytes) : ""],
    [l10n.t("Parameters"), parameterSize],
    [l10n.t("Quantization"), quantization],
    [l10n.t("Sees the text after the cursor"), fillsMiddle === undefined ? "" : fillsMiddle ? l10n.t("yes") : l10n.t("no")],
  ];
  return {
    ...row(id, name, ollamaIcon(model), ollamaParts(model, memory)),
    tooltip: tooltip(name, ollamaState(model), facts),
    actions: memoryActions(model),
  };
}

// Short: the side bar cuts off the end, and the section tells what is in memory.
function ollamaParts(model: OllamaModel, memory: ModelMemory | undefined): string[] {
  const { current, loaded, pinned, remoteHost, memoryKb, sizeBytes } = model;
  if (loaded && remoteHost === undefined) {
    // What is pinned the list knows sooner than the status.
    const taken = memory === undefined ? l10n.t("{0} in RAM", bytes(memoryKb * 1024)) : modelMemory({ ...memory, pinned: false });
    return [current ? l10n.t("in use") : "", pinned ? l10n.t("pinned") : "", taken];
  }

  if (!completes(model)) {
    return [l10n.t("does not complete")];
  }

  // One of which nothing is known has its size at least.
  const { description } = modelLines(model);
  return [description === "" ? bytes(sizeBytes) : description];
}

function ollamaIcon({ current, loaded, remoteHost, fit }: OllamaModel): string {
  if (remoteHost !== undefined) {
    return "cloud";
  }

  if (loaded) {
    return current ? "pass-filled" : "circle-filled";
  }

  return fit === "no" ? "circle-slash" : "circle-outline";
}

function ollamaState(model: OllamaModel): string {
  const { current, loaded, remoteHost } = model;
  if (!completes(model)) {
    return l10n.t("It cannot complete code.");
  }

  if (remoteHost !== undefined) {
    return l10n.t("It does not run on this machine: what it is asked is sent to {0}.", hostName(remoteHost));
  }

  if (loaded) {
    return current ? l10n.t("In use: code is completed from it.") : l10n.t("In memory, but not asked to complete code.");
  }

  return prospect(model);
}

function prospect({ predictedBytes, fit, fitContextTokens, fitEvicts = [] }: OllamaModel): string {
  if (predictedBytes === undefined) {
    return l10n.t("Not in memory. What it would take is not known.");
  }

  const size = bytes(predictedBytes);
  const sentences = [
    fitContextTokens === undefined || fit === "no"
      ? l10n.t("It would take about {0} of memory.", size)
      : l10n.t("It would take about {0} of memory, with {1} tokens of context.", size, count(fitContextTokens)),
  ];
  if (fit === "now") {
    sentences.push(l10n.t("It fits now."));
  } else if (fit === "afterEvicting") {
    sentences.push(l10n.t("It fits after unloading {0}.", fitEvicts.length === 0 ? l10n.t("others") : fitEvicts.map(nameOf).join(", ")));
  } else if (fit === "no") {
    sentences.push(l10n.t("It does not fit: close programs, raise the setting {0}, or choose a smaller one.", "llmAssist.memory.limit"));
  }

  return sentences.join(" ");
}

function memoryActions(model: ListedModel): Action[] {
  const possible: Action[] = [];
  if (model.loaded) {
    possible.push("unload");
  } else if (completes(model)) {
    possible.push("load");
  }

  if (model.pinned) {
    possible.push("unpin");
  } else if (model.loaded && !(model.source === "ollama" && model.remoteHost !== undefined)) {
    possible.push("pin");
  }

  return possible;
}

function tooltip(name: string, state: string, facts: [string, string][]): string {
  const lines = facts.filter(([, value]) => value !== "").map(([label, value]) => `| ${escaped(label)} | &emsp;${escaped(value)} |`);
  return [`**${escaped(name)}**`, escaped(state), ["| | |", "|:--|:--|", ...lines].join("\n")].join("\n\n");
}

function nothingTrained({ folders, isTrusted, isTraining }: TreeFacts): ModelRow[] {
  if (isTraining) {
    return [row("training", l10n.t("A model is being trained"), "sync~spin")];
  }

  if (folders.length === 0 || !isTrusted) {
    return [];
  }

  const title = l10n.t("Train on Workspace");
  return [{ ...row("train", title, "mortar-board"), command: { command: paletteCommands.trainWorkspace, title, arguments: [] } }];
}

// Ollama that does not answer and Ollama without models look the same from here.
function noOllama({ isOllamaEnabled }: TreeFacts): ModelRow {
  const [setting, label, tooltip] = isOllamaEnabled
    ? [
        "llmAssist.ollama.endpoint",
        l10n.t("Not running, or without a model"),
        l10n.t("Ollama does not answer, or has no model yet. Start it, and refresh this view or download a model. A click opens the setting with its address."),
      ]
    : ["llmAssist.ollama.enabled", l10n.t("Not asked"), l10n.t("The setting {0} is off", "llmAssist.ollama.enabled")];
  return {
    ...row("noOllama", label, "info"),
    tooltip: escaped(tooltip),
    spoken: `${label}. ${tooltip}`,
    command: { command: "workbench.action.openSettings", title: l10n.t("Open Setting"), arguments: [setting] },
  };
}
