// What the palette offers: asks the user what is missing, calls the server, says how it went. What is about models is in
// modelCommands.ts.

import * as vscode from "vscode";
import type { ServerConnection } from "./client";
import { explanationPage } from "./explanation";
import { bytes } from "./figures";
import { memoryHistoryPage } from "./memoryHistory";
import { chooseModels, deleteModel, loadModel, pinModel, pullModel, unloadModel, unpinModel } from "./modelCommands";
import { modelMessage } from "./models";
import { paletteCommands } from "./paletteCommands";
import type { MemoryReport } from "./protocol";
import { modelLabel, modelMemory, systemUse } from "./status";
import { tell } from "./tell";
import { UserError } from "./userError";

/** Registers every palette command; the answer takes them back. */
export function registerCommands(server: ServerConnection, log: vscode.LogOutputChannel): vscode.Disposable {
  const pages = new Pages();
  const actions: Record<keyof typeof paletteCommands, () => Promise<void>> = {
    trainWorkspace: () => trainWorkspace(server),
    cancelTraining: () => server.cancelTraining(),
    chooseModel: () => chooseModels(server, log),
    pullModel: () => pullModel(server),
    loadModel: () => loadModel(server),
    unloadModel: () => unloadModel(server),
    pinModel: () => pinModel(server),
    unpinModel: () => unpinModel(server),
    deleteModel: () => deleteModel(server),
    showMemory: () => showMemory(server, log),
    showMemoryHistory: async () => {
      const hours = 24;
      await pages.show("memory", memoryHistoryPage(await server.request("llmAssist.memory.history", { hours }), hours));
    },
    explainCompletion: async () => {
      await pages.show("completion", explanationPage(await server.request("llmAssist.completion.explain", {})));
    },
    showLog: () => {
      log.show();
      return Promise.resolve();
    },
    restart: () => server.restart(),
  };

  const registrations = Object.entries(actions).map(([name, action]) =>
    vscode.commands.registerCommand(
      paletteCommands[name as keyof typeof paletteCommands],
      () => action().catch((error: unknown) => tell(error, log)),
    ));
  return vscode.Disposable.from(pages, ...registrations);
}

async function trainWorkspace(server: ServerConnection): Promise<void> {
  // The palette hides the command in these cases; links and key bindings reach it all the same.
  if (!vscode.workspace.isTrusted) {
    throw new UserError(vscode.l10n.t("This workspace is not trusted, and training runs git in it. Trust the workspace first."));
  }

  if ((vscode.workspace.workspaceFolders ?? []).length === 0) {
    throw new UserError(vscode.l10n.t("There is nothing to train on: no folder is open. Open one first."));
  }

  const answer = await server.request("llmAssist.models.train", {});
  void vscode.window.showInformationMessage(modelMessage(answer));
}

interface MemoryLine extends vscode.QuickPickItem {
  /** The loaded model that this line is about. */
  modelId?: string;
}

async function showMemory(server: ServerConnection, log: vscode.LogOutputChannel): Promise<void> {
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

/** Read-only pages, each written anew for every question. */
class Pages implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly _scheme = "llm-assist";
  private readonly _registration = vscode.workspace.registerTextDocumentContentProvider(this._scheme, this);
  private readonly _texts = new Map<string, string>();
  private _shown = 0;

  async show(name: string, text: string): Promise<void> {
    // A new address each time: of one that it knows the editor may show the text of last time, even if it is told that
    // the text has changed. The preview takes the place of the one before all the same.
    this._shown++;
    const uri = vscode.Uri.from({ scheme: this._scheme, path: `/${name}.md`, query: String(this._shown) });
    this._texts.set(uri.path, text);
    try {
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    } catch {
      // The editor's own Markdown extension can be disabled; the source reads well enough.
      await vscode.window.showTextDocument(uri, { preview: true });
    }
  }

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this._texts.get(path) ?? "";
  }

  dispose(): void {
    this._registration.dispose();
  }
}
