// What can be downloaded with Ollama: names of models, and a few to begin with. Pure.

import { l10n } from "vscode";
import { gigabytes } from "../window/figures";
import type { ListedModel } from "../server/protocol";

/** Small ones that fill in the middle, for machines without a GPU; the sizes are those of the downloads. */
const suggestions: { name: string; gigabytes: number }[] = [
  { name: "qwen2.5-coder:0.5b", gigabytes: 0.4 },
  { name: "qwen2.5-coder:1.5b", gigabytes: 1.0 },
  { name: "qwen2.5-coder:3b", gigabytes: 1.9 },
  { name: "deepseek-coder:1.3b-base", gigabytes: 0.8 },
  { name: "starcoder2:3b", gigabytes: 1.7 },
];

export interface DownloadRow {
  /** The name of an icon; no part of the label, where screen readers would read it out. */
  icon: string;
  label: string;
  description: string;
  /** Missing when what was typed is no name. */
  name?: string;
  /** Whether it is to be seen whatever is typed. */
  always: boolean;
}

/** The rows while `typed` is in the input box. */
export function downloadRows(typed: string, models: ListedModel[]): DownloadRow[] {
  const had = new Set(models.filter(({ source }) => source === "ollama").map(({ name }) => normalized(name)));
  const name = modelName(typed);
  const known = suggestions.map((suggestion): DownloadRow => ({
    icon: "cloud-download",
    label: suggestion.name,
    description: had.has(suggestion.name)
      ? l10n.t("about {0}, is downloaded; looks for a newer version", gigabytes(suggestion.gigabytes))
      : l10n.t("about {0}", gigabytes(suggestion.gigabytes)),
    name: suggestion.name,
    // The editor compares what is typed, which may be a whole command line.
    always: suggestion.name === name,
  }));
  return typed.trim() === "" || suggestions.some((suggestion) => suggestion.name === name) ? known : [typedRow(typed, name), ...known];
}

/**
 * The name of a model in what the user typed or pasted: the name, a command line of Ollama's, or the address of a
 * model's page; undefined when it is none of these.
 */
export function modelName(typed: string): string | undefined {
  const name = typed.trim()
    .replace(/^ollama\s+(run|pull)\s+/, "")
    .replace(/^https?:\/\//, "")
    .replace(/^(www\.)?ollama\.com\/(library\/)?/, "");
  return namePattern.test(name) ? name : undefined;
}

// Ollama's: [host[:port]/][namespace/]model[:tag].
const part = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}";
const namePattern = new RegExp(`^(?:(?:[A-Za-z0-9_][A-Za-z0-9_.-]*(?::\\d{1,5})?/)?${part}/)?${part}(?::${part})?$`);

function typedRow(typed: string, name: string | undefined): DownloadRow {
  return name === undefined
    ? {
        icon: "error",
        label: l10n.t("“{0}” is no name of a model", typed.trim()),
        description: l10n.t("expected is NAME or NAME:TAG, such as qwen2.5-coder:1.5b"),
        always: true,
      }
    : { icon: "cloud-download", label: l10n.t("Download {0}", name), description: "", name, always: true };
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/^registry\.ollama\.ai\//, "").replace(/^library\//, "");
}
