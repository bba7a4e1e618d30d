// What the palette offers: asks the user what is missing, calls the server, says how it went.

import * as vscode from "vscode";
import { UserError, type ServerConnection } from "./client";
import { explanationPage } from "./explanation";
import { bytes, moment } from "./figures";
import { modelLines, modelMessage } from "./models";
import { paletteCommands } from "./paletteCommands";
import type { MemoryReport, ModelEntry } from "./protocol";
import { modelLabel, modelMemory, systemUse } from "./status";

const explanationUri = vscode.Uri.from({ scheme: "llm-assist", path: "/completion.md" });

/** Registers every palette command; the answer takes them back. */
export function registerCommands(server: ServerConnection, log: vscode.LogOutputChannel): vscode.Disposable {
  const explanation = new ExplanationPage();
  const actions: Record<keyof typeof paletteCommands, () => Promise<void>> = {
    trainWorkspace: () => trainWorkspace(server),
    cancelTraining: () => server.cancelTraining(),
    chooseModel: () => chooseModels(server),
    loadModel: () => loadModel(server),
    unloadModel: () => unloadModel(server),
    deleteModel: () => deleteModel(server),
    showMemory: () => showMemory(server, log),
    explainCompletion: async () => {
      await explanation.show(explanationPage(await server.request("llmAssist.completion.explain", {})));
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
  return vscode.Disposable.from(explanation, ...registrations);
}

/** Shows an error with what can be done about it. */
export async function tell(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  if (error instanceof vscode.CancellationError) {
    return;
  }

  const showLog = vscode.l10n.t("Show Log");
  const message = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof UserError ? error.remedy : undefined;
  const choices = remedy === undefined ? [showLog] : [remedy.title, showLog];
  const choice = await vscode.window.showErrorMessage(message, ...choices);
  if (choice === undefined) {
    return;
  }

  if (choice === showLog) {
    log.show();
  } else if (remedy?.kind === "link") {
    await vscode.env.openExternal(vscode.Uri.parse(remedy.url));
  } else if (remedy?.kind === "command") {
    await vscode.commands.executeCommand(remedy.command, ...remedy.arguments);
  }
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

async function chooseModels(server: ServerConnection): Promise<void> {
  const models = await listModels(server, () => true);
  if (models.length === 0) {
    return;
  }

  const items = models.map((model) => ({ ...modelLines(model), model, picked: model.loaded }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Choose the models to complete from"),
    canPickMany: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen === undefined) {
    return;
  }

  const wanted = new Set(chosen.map(({ model }) => model.id));
  // What goes makes room for what comes.
  for (const { id } of models.filter(({ id, loaded }) => loaded && !wanted.has(id))) {
    await server.request("llmAssist.models.unload", { id });
  }

  for (const { id } of models.filter(({ id, loaded }) => !loaded && wanted.has(id))) {
    await server.request("llmAssist.models.load", { id });
  }

  say(chosen.length === 0
    ? vscode.l10n.t("No model is in use.")
    : vscode.l10n.t("In use: {0}", chosen.map(({ model }) => model.name).join(", ")));
}

async function loadModel(server: ServerConnection): Promise<void> {
  const model = await pickModel(server, vscode.l10n.t("Load a model into memory"), ({ loaded }) => !loaded);
  if (model !== undefined) {
    say(modelMessage(await server.request("llmAssist.models.load", { id: model.id })));
  }
}

async function unloadModel(server: ServerConnection): Promise<void> {
  const model = await pickModel(server, vscode.l10n.t("Unload a model; its file stays"), ({ loaded }) => loaded);
  if (model !== undefined) {
    say(modelMessage(await server.request("llmAssist.models.unload", { id: model.id })));
  }
}

async function deleteModel(server: ServerConnection): Promise<void> {
  const model = await pickModel(server, vscode.l10n.t("Delete a model from disk"), () => true);
  if (model === undefined) {
    return;
  }

  const confirm = vscode.l10n.t("Delete");
  const choice = await vscode.window.showWarningMessage(
    vscode.l10n.t("Delete the model “{0}” of {1}?", model.name, moment(model.createdAt)),
    {
      modal: true,
      detail: vscode.l10n.t("Its file of {0} is deleted for good. Your code is not touched; training again makes a new model.", bytes(model.sizeBytes)),
    },
    confirm,
  );
  if (choice === confirm) {
    say(modelMessage(await server.request("llmAssist.models.delete", { id: model.id })));
  }
}

// Success needs no click to go away.
function say(message: string): void {
  vscode.window.setStatusBarMessage(message, 5000);
}

async function pickModel(
  server: ServerConnection,
  title: string,
  fits: (model: ModelEntry) => boolean,
): Promise<ModelEntry | undefined> {
  const items = (await listModels(server, fits)).map((model) => ({ ...modelLines(model), model }));
  if (items.length === 0) {
    return undefined;
  }

  const picked = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return picked?.model;
}

/** The models that fit; if there are none, the user has been told and offered a way to one. */
async function listModels(server: ServerConnection, fits: (model: ModelEntry) => boolean): Promise<ModelEntry[]> {
  const all = await server.request("llmAssist.models.list", {});
  const fitting = all.filter(fits);
  if (fitting.length !== 0) {
    return fitting;
  }

  if (all.length !== 0) {
    const message = all.every(({ loaded }) => loaded)
      ? vscode.l10n.t("Every model is loaded already.")
      : vscode.l10n.t("No model is loaded.");
    void vscode.window.showInformationMessage(message);
    return [];
  }

  const train = vscode.l10n.t("Train on Workspace");
  const choice = await vscode.window.showInformationMessage(vscode.l10n.t("There is no model yet."), train);
  if (choice === train) {
    await vscode.commands.executeCommand(paletteCommands.trainWorkspace);
  }

  return [];
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
    label: `$(package) ${modelLabel(model)}`,
    description: modelMemory(model),
    buttons: [unloadButton],
    modelId: model.id,
  }));
  return [
    {
      label: `$(chip) ${vscode.l10n.t("System memory")}`,
      description: systemUse(report),
    },
    {
      label: `$(dashboard) ${vscode.l10n.t("Models")}`,
      description: vscode.l10n.t("{0} of at most {1}", bytes(report.modelsBytes), bytes(report.limitBytes)),
    },
    {
      label: `$(server-process) ${vscode.l10n.t("The server itself")}`,
      description: report.processBytes === undefined ? vscode.l10n.t("unknown") : bytes(report.processBytes),
    },
    heading(vscode.l10n.t("Loaded models")),
    ...models.length === 0 ? [{ label: vscode.l10n.t("No model is loaded.") }] : models,
    ...report.advice.length === 0 ? [] : [heading(vscode.l10n.t("Advice"))],
    ...report.advice.map((sentence) => ({ label: `$(lightbulb) ${sentence}` })),
  ];
}

/** A read-only page that is written anew for every question. */
class ExplanationPage implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly _changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly _registration = vscode.workspace.registerTextDocumentContentProvider(explanationUri.scheme, this);
  private _text = "";

  readonly onDidChange = this._changed.event;

  async show(text: string): Promise<void> {
    this._text = text;
    this._changed.fire(explanationUri);
    try {
      await vscode.commands.executeCommand("markdown.showPreview", explanationUri);
    } catch {
      // The editor's own Markdown extension can be disabled; the source reads well enough.
      await vscode.window.showTextDocument(explanationUri, { preview: true });
    }
  }

  provideTextDocumentContent(): string {
    return this._text;
  }

  dispose(): void {
    this._registration.dispose();
    this._changed.dispose();
  }
}
