// The settings as the server gets them: at start, when they change, and when it asks.

import * as path from "node:path";
import * as vscode from "vscode";
import { settingWrite, type OllamaSettings } from "../models/choice";
import type { SettingUpdate } from "./protocol";
import { UserError } from "../window/userError";

export interface Settings {
  completion: { inline: boolean; list: boolean; [key: string]: unknown };
  training: { auto: boolean; [key: string]: unknown };
  [key: string]: unknown;
}

/** Everything below `llmAssist`, as plain JSON. */
export function settings(): Settings {
  // The editor answers with frozen proxies; the copy is ours.
  const values = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration().get("llmAssist"))) as Settings;
  // Each language may have its own: surfaces.ts goes by that, and asks the server only where it is to answer.
  values.completion.inline = true;
  values.completion.list = true;
  if (!vscode.workspace.isTrusted) {
    // Training asks git which files there are, and git runs programs that a repository's own configuration names.
    values.training.auto = false;
  }

  return values;
}

/** The value at a dotted path such as `llmAssist.memory`; null, as LSP wants it, when there is none. */
export function settingAt(section: string): unknown {
  let value: unknown = { llmAssist: settings() };
  for (const key of section.split(".")) {
    if (typeof value !== "object" || value === null) {
      return null;
    }

    value = (value as Record<string, unknown>)[key];
  }

  return value ?? null;
}

/** What the user and this workspace say about Ollama. */
export function ollamaSettings(): OllamaSettings {
  const values = vscode.workspace.getConfiguration();
  return {
    source: values.get("llmAssist.completion.source", "auto"),
    enabled: values.get("llmAssist.ollama.enabled", true),
    model: values.get("llmAssist.ollama.model", ""),
  };
}

/** The folders that are trained on here, as the server takes them: those of the setting instead of the workspace's. */
export function trainingFolders(): string[] {
  const own = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const named = vscode.workspace.getConfiguration().get<string[]>("llmAssist.training.folders", []);
  return named.length === 0 ? own : named.map((folder) => path.resolve(own[0] ?? "", folder));
}

/** Keeps which model of Ollama is asked; the empty name is for none. */
export async function keepOllamaModel(name: string): Promise<void> {
  const setting = "llmAssist.ollama.model";
  const values = vscode.workspace.getConfiguration();
  const { place, value } = settingWrite(values.inspect(setting) ?? {}, name);
  const target = place === "workspace" ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await values.update(setting, value, target);
}

/** Whether models are held within the limit; otherwise memory is only shown. */
export function isGoverned(): boolean {
  return vscode.workspace.getConfiguration().get("llmAssist.memory.enabled", true);
}

/** Keeps what models may use together: a preset or a number of gigabytes. */
export async function keepMemoryLimit(limit: string | number): Promise<void> {
  await vscode.workspace.getConfiguration().update("llmAssist.memory.limit", limit, vscode.ConfigurationTarget.Global);
}

/** Keeps what the user answered to a question of the server. Rejects with a UserError what no question is about. */
export async function keepAnswer({ key, value }: SettingUpdate): Promise<void> {
  const choices = answers.get(key);
  if (choices === undefined) {
    throw new UserError(vscode.l10n.t("The setting llmAssist.{0} is not one that the server may change; expected is one of these: {1}.", key, [...answers.keys()].join(", ")));
  }

  if (typeof value !== "string" || !choices.includes(value)) {
    throw new UserError(vscode.l10n.t("The setting llmAssist.{0} cannot become {1}; expected is one of these: {2}.", key, JSON.stringify(value ?? null), choices.join(", ")));
  }

  await vscode.workspace.getConfiguration().update(`llmAssist.${key}`, value, vscode.ConfigurationTarget.Global);
}

// The server asks only about these; that it could write whatever it likes would be too much.
const answers = new Map([["memory.onModelSwitch", ["ask", "unload", "keep"]]]);

/** Calls back whenever {@link settings} would answer something else than before. */
export function onSettingsChanged(callback: () => void): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.workspace.onDidGrantWorkspaceTrust(callback),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("llmAssist")) {
        callback();
      }
    }),
  );
}
