// The list of what memory is taken by, with what can be done about it.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import type { MemoryReport } from "../server/protocol";
import { modelLabel, modelMemory, systemUse } from "../status/status";
import { bytes } from "../window/figures";
import { tell } from "../window/tell";

interface MemoryLine extends vscode.QuickPickItem {
  /** The loaded model that this line is about. */
  modelId?: string;
}

export async function showMemory(server: ServerConnection, log: vscode.LogOutputChannel): Promise<void> {
  let report = await server.request("llmAssist.memory.status", {});

  const pick = vscode.window.createQuickPick<MemoryLine>();
  const unloadButton: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon("debug-disconnect"),
    tooltip: vscode.l10n.t("Unload"),
  };
  const draw = (): void => {
    const active = pick.activeItems[0]?.label;
    pick.items = memoryLines(report, unloadButton);
    pick.activeItems = pick.items.filter(({ label }) => label === active).slice(0, 1);
  };

  pick.title = vscode.l10n.t("Memory");
  pick.placeholder = vscode.l10n.t("The button beside a model unloads it");
  pick.matchOnDetail = true;
  draw();

  const subscriptions = [
    server.onDidChangeView((view) => {
      if (view.kind === "reporting") {
        report = { ...report, ...view.status.memory };
        draw();
      } else {
        pick.hide();
      }
    }),
    pick.onDidTriggerItemButton(({ item }) => {
      if (item.modelId !== undefined) {
        void unloadAndReport(item.modelId);
      }
    }),
    pick.onDidAccept(() => pick.hide()),
    pick.onDidHide(() => {
      vscode.Disposable.from(...subscriptions, pick).dispose();
    }),
  ];
  pick.show();

  async function unloadAndReport(id: string): Promise<void> {
    pick.busy = true;
    try {
      await server.request("llmAssist.models.unload", { id });
      report = await server.request("llmAssist.memory.status", {});
      draw();
    } catch (error) {
      pick.hide();
      await tell(error, log);
    } finally {
      pick.busy = false;
    }
  }
}

function memoryLines(report: MemoryReport, unloadButton: vscode.QuickInputButton): MemoryLine[] {
  const heading = (label: string): MemoryLine => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const models = report.models.map((model): MemoryLine => ({
    iconPath: new vscode.ThemeIcon("package"),
    label: modelLabel(model),
    description: modelMemory(model),
    buttons: [unloadButton],
    modelId: model.id,
  }));
  return [
    {
      iconPath: new vscode.ThemeIcon("chip"),
      label: vscode.l10n.t("System memory"),
      description: systemUse(report),
    },
    {
      iconPath: new vscode.ThemeIcon("dashboard"),
      label: vscode.l10n.t("Models"),
      description: vscode.l10n.t("{0} of at most {1}", bytes(report.modelsBytes), bytes(report.limitBytes)),
    },
    {
      iconPath: new vscode.ThemeIcon("server-process"),
      label: vscode.l10n.t("The server itself"),
      description: report.processBytes === undefined ? vscode.l10n.t("unknown") : bytes(report.processBytes),
    },
    heading(vscode.l10n.t("Loaded models")),
    ...models.length === 0 ? [{ label: vscode.l10n.t("No model is loaded.") }] : models,
    ...report.advice.length === 0 ? [] : [heading(vscode.l10n.t("Advice"))],
    ...report.advice.map((sentence) => ({ iconPath: new vscode.ThemeIcon("lightbulb"), label: sentence })),
  ];
}
