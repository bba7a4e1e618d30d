// The settings as the server gets them: at start, when they change, and when it asks.

import * as vscode from "vscode";
import { settingWrite, type OllamaSettings } from "./choice";

export interface Settings {
  training: { auto: boolean; [key: string]: unknown };
  [key: string]: unknown;
}

/** Everything below `llmAssist`, as plain JSON. */
export function settings(): Settings {
  // The editor answers with frozen proxies; the copy is ours.
  const values = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration().get("llmAssist"))) as Settings;
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

/** Keeps which model of Ollama is asked; the empty name is for none. */
export async function keepOllamaModel(name: string): Promise<void> {
  const setting = "llmAssist.ollama.model";
  const values = vscode.workspace.getConfiguration();
  const { place, value } = settingWrite(values.inspect(setting) ?? {}, name);
  const target = place === "workspace" ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await values.update(setting, value, target);
}

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
