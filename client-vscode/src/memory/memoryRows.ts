// What the list of memory says, and what can be done in it. Pure; memoryPick.ts draws it.

import { l10n } from "vscode";
import type { MemoryReport } from "../server/protocol";
import { modelLabel, modelMemory, systemUse } from "../status/status";
import { bytes } from "../window/figures";
import { paletteCommands } from "../window/paletteCommands";

export type MemoryAction =
  | { kind: "unload"; id: string }
  | { kind: "unloadAll" }
  /** Something with a list or a page of its own. */
  | { kind: "command"; command: string };

export interface MemoryRow {
  /** Tells a row from the others, also after memory has changed. */
  key: string;
  label: string;
  description: string;
  /** The name of an icon; missing for a heading. */
  icon?: string;
  /** Missing where a row only tells something. */
  action?: MemoryAction;
  /** The loaded model that the row is about. */
  model?: { id: string; pinned: boolean };
}

/** `now` is in milliseconds, as `Date.now()` tells it. */
export function memoryRows(report: MemoryReport, now: number): MemoryRow[] {
  const { models, advice, systemTotalBytes: total, systemAvailableBytes: available } = report;
  const isSystemKnown = total !== undefined && available !== undefined;
  return [
    fact("system", "chip", l10n.t("System memory"), `${isSystemKnown ? bar((total - available) / total) : ""}${systemUse(report)}`),
    fact("models", "dashboard", l10n.t("Models"),
      `${bar(report.modelsBytes / report.limitBytes)}${l10n.t("{0} of at most {1}", bytes(report.modelsBytes), bytes(report.limitBytes))}`),
    fact("server", "server-process", l10n.t("The server itself"), report.processBytes === undefined ? l10n.t("unknown") : bytes(report.processBytes)),
    heading(l10n.t("Loaded models")),
    ...models.length === 0 ? [fact("none", "circle-slash", l10n.t("No model is loaded."))] : [],
    ...models.map((model): MemoryRow => ({
      ...fact(model.id, "package", modelLabel(model, models), modelMemory(model, now)),
      action: { kind: "unload", id: model.id },
      model: { id: model.id, pinned: model.pinned },
    })),
    ...advice.length === 0 ? [] : [heading(l10n.t("Advice"))],
    ...advice.map((sentence, index) => fact(`advice ${index}`, "lightbulb", sentence)),
    heading(l10n.t("What you can do")),
    ...models.length === 0 ? [] : [{
      ...fact("unloadAll", "clear-all", l10n.t("Unload all"), l10n.t("except what other programs have loaded")),
      action: { kind: "unloadAll" } as const,
    }],
    command(paletteCommands.setMemoryLimit, "settings-gear", l10n.t("Set limit…")),
    command(paletteCommands.chooseModel, "checklist", l10n.t("Choose models…")),
    command(paletteCommands.showMemoryHistory, "history", l10n.t("Memory history")),
  ];
}

function heading(label: string): MemoryRow {
  return { key: `heading ${label}`, label, description: "" };
}

function fact(key: string, icon: string, label: string, description = ""): MemoryRow {
  return { key, icon, label, description };
}

function command(id: string, icon: string, label: string): MemoryRow {
  return { ...fact(id, icon, label), action: { kind: "command", command: id } };
}

// `■■■□□□□□□□`: the editor draws no pictures in lists.
function bar(share: number): string {
  const cells = 10;
  const full = Math.min(cells, Math.max(0, Math.round(share * cells)));
  return `${"■".repeat(full)}${"□".repeat(cells - full)}  `;
}
