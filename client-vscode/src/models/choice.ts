// The list of "Choose Models", and where a choice is kept. Pure.

import { l10n } from "vscode";
import { byFit, completes, modelLines, type ModelLines } from "./models";
import type { ListedModel, OllamaModel, PatternModel } from "../server/protocol";

/** What the settings say about Ollama. */
export interface OllamaSettings {
  source: string;
  enabled: boolean;
  model: string;
}

export type ChoiceAction =
  | { kind: "toggle"; model: PatternModel }
  | { kind: "ask"; model: OllamaModel }
  /** No model of Ollama; `current` is asked so far, if any. */
  | { kind: "none"; current: OllamaModel | undefined }
  | { kind: "pull" }
  | { kind: "train" }
  | { kind: "setting"; name: string };

export interface ChoiceRow extends ModelLines {
  /** The name of an icon; missing for a heading. */
  icon?: string;
  /** Missing for a heading. */
  action?: ChoiceAction;
}

/**
 * The rows. One list for both kinds, because a newcomer sees in it all that there is to choose. The editor's own
 * checkboxes would hold for the whole list, and one of Ollama's models has to give way to the next; so the marks are
 * drawn here, and choosing a row acts at once. The marks are no part of the label: a screen reader would read them out.
 */
export function choiceRows(models: ListedModel[], settings: OllamaSettings): ChoiceRow[] {
  const sorted = byFit(models);
  return [...patternRows(sorted.filter(isPattern), settings), ...ollamaRows(sorted.filter(isOllama), settings)];
}

/** What tells a row from the others, also after the models were listed anew. */
export function choiceKey({ label, action }: ChoiceRow): string {
  switch (action?.kind) {
    case "toggle":
    case "ask":
      return action.model.id;
    case "setting":
      return action.name;
    case "none":
    case "pull":
    case "train":
      return action.kind;
    case undefined:
      return label;
  }
}

/** A setting as the editor finds it, without its default. */
export interface SettingLayers {
  globalValue?: unknown;
  workspaceValue?: unknown;
}

export interface SettingWrite {
  place: "global" | "workspace";
  /** `undefined` takes the setting out of the file. */
  value: string | undefined;
}

/** How to write a setting so that it has the value; the empty text is the default. */
export function settingWrite({ globalValue, workspaceValue }: SettingLayers, value: string): SettingWrite {
  if (workspaceValue === undefined) {
    // The same for all the user's folders: a model of Ollama is one of the machine.
    return { place: "global", value: value === "" ? undefined : value };
  }

  // Only an empty text in the workspace hides what stands in the user's settings.
  const hides = typeof globalValue === "string" && globalValue !== "";
  return { place: "workspace", value: value === "" && !hides ? undefined : value };
}

function patternRows(models: PatternModel[], settings: OllamaSettings): ChoiceRow[] {
  return [
    // Short: the editor writes it at the end of the row below, and cuts off that row for it.
    plain(l10n.t("pattern models of your code")),
    ...settings.source === "ollama" || settings.source === "off" ? [notAsked(settings.source)] : [],
    ...models.map((model) => row(mark(model.loaded), modelLines(model), { kind: "toggle", model })),
    ...models.length === 0 ? [row("mortar-board", plain(l10n.t("Train on Workspace")), { kind: "train" })] : [],
  ];
}

function ollamaRows(models: OllamaModel[], settings: OllamaSettings): ChoiceRow[] {
  const heading = plain("Ollama");
  if (!settings.enabled) {
    const lines = { ...plain(l10n.t("Not asked")), detail: l10n.t("The setting {0} is off", "llmAssist.ollama.enabled") };
    return [heading, row("info", lines, { kind: "setting", name: "llmAssist.ollama.enabled" })];
  }

  const current = models.find((model) => model.current);
  const none = plain(l10n.t("None: pattern models only"));
  const isChosen = current !== undefined || settings.model !== "";
  return [
    heading,
    ...settings.source === "pattern" || settings.source === "off" ? [notAsked(settings.source)] : [],
    // A server that does not answer and one without models look the same from here.
    ...models.length === 0 ? [row("info", plain(l10n.t("No model was found. Is Ollama running?")), { kind: "setting", name: "llmAssist.ollama.endpoint" })] : [],
    ...models.filter(completes).map((model) => row(mark(model.current), ollamaLines(model, settings.model), { kind: "ask", model })),
    row(mark(!isChosen), none, { kind: "none", current }),
    row("cloud-download", plain(l10n.t("Download a model…")), { kind: "pull" }),
  ];
}

// A model that was unloaded stays chosen; without a word the list would look as if nothing was.
function ollamaLines(model: OllamaModel, chosen: string): ModelLines {
  const lines = modelLines(model);
  const isChosen = [model.name, model.name.replace(/:latest$/, "")].includes(chosen);
  return isChosen && !model.current
    ? { ...lines, description: [l10n.t("chosen, not in use"), lines.description].filter((part) => part !== "").join(" · ") }
    : lines;
}

function notAsked(source: string): ChoiceRow {
  const name = "llmAssist.completion.source";
  const lines = { ...plain(l10n.t("Not asked")), detail: l10n.t("The setting {0} is “{1}”", name, source) };
  return row("info", lines, { kind: "setting", name });
}

function row(icon: string, lines: ModelLines, action: ChoiceAction): ChoiceRow {
  return { ...lines, icon, action };
}

function plain(label: string): ModelLines {
  return { label, description: "", detail: "" };
}

function mark(isChecked: boolean): string {
  return isChecked ? "check" : "blank";
}

function isPattern(model: ListedModel): model is PatternModel {
  return model.source === "pattern";
}

function isOllama(model: ListedModel): model is OllamaModel {
  return model.source === "ollama";
}
