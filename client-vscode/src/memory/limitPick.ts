// Asks how much memory models may use together, and keeps the answer. What there is to choose from is in limit.ts.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import { isGoverned, keepMemoryLimit } from "../server/settings";
import { bytes } from "../window/figures";
import { paletteCommands } from "../window/paletteCommands";
import { say } from "../window/tell";
import { inGigabytes, limitIn, limitProblem, limitRows, typedLimit } from "./limit";

export async function setMemoryLimit(server: ServerConnection): Promise<void> {
  const report = await server.request("llmAssist.memory.status", {});
  const items = limitRows(report).map((row) => ({
    label: row.label,
    description: row.description,
    detail: row.detail,
    iconPath: new vscode.ThemeIcon(row.isCurrent ? "check" : "blank"),
    row,
  }));
  const picked = await pickFrom(
    items,
    items.filter(({ row }) => row.isCurrent),
    vscode.l10n.t("At present: {0}, of which {1} are in use", inGigabytes(report.limitBytes), bytes(report.modelsBytes)),
  );
  if (picked === undefined) {
    return;
  }

  const limit = picked.row.limit ?? await typed(report.limitBytes);
  if (limit !== undefined) {
    await keep(server, limit);
  }
}

// The list begins at what holds now: Enter by mistake changes nothing.
function pickFrom<T extends vscode.QuickPickItem>(items: T[], current: T[], placeholder: string): Promise<T | undefined> {
  const pick = vscode.window.createQuickPick<T>();
  pick.title = vscode.l10n.t("How much memory may models use together?");
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.items = items;
  pick.activeItems = current;
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      resolve(pick.selectedItems[0]);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

async function typed(limitBytes: number): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t("How much memory may models use together?"),
    prompt: vscode.l10n.t("A number of gigabytes"),
    value: typedLimit(limitBytes),
    validateInput: limitProblem,
  });
  return text === undefined ? undefined : limitIn(text);
}

async function keep(server: ServerConnection, limit: string | number): Promise<void> {
  await keepMemoryLimit(limit);
  // The server fetches changed settings in its own time; told at once, it can say at once what follows.
  const { message } = await server.request("llmAssist.memory.setLimit", { limit });
  const { limitBytes, modelsBytes } = await server.request("llmAssist.memory.status", {});
  if (!isGoverned()) {
    const without = vscode.l10n.t("It has no effect while the setting {0} is off.", "llmAssist.memory.enabled");
    const open = vscode.l10n.t("Open Setting");
    if (await vscode.window.showWarningMessage(`${message} ${without}`, open) === open) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "llmAssist.memory.enabled");
    }
  } else if (limitBytes < modelsBytes) {
    const excess = vscode.l10n.t("Models take {0} at present: those that are neither pinned nor in use are now unloaded.", bytes(modelsBytes));
    const show = vscode.l10n.t("Show Memory");
    if (await vscode.window.showWarningMessage(`${message} ${excess}`, show) === show) {
      await vscode.commands.executeCommand(paletteCommands.showMemory);
    }
  } else {
    say(message);
  }
}
