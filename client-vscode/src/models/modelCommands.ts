// The palette's commands about models. What their lists and pages say is decided in choice.ts, comparison.ts, download.ts
// and models.ts.

import * as vscode from "vscode";
import { choiceKey, choiceRows, type ChoiceAction, type ChoiceRow } from "./choice";
import type { ServerConnection } from "../server/client";
import { comparisonPage, distinctLabels } from "./comparison";
import { downloadRows, type DownloadRow } from "./download";
import { bytes, moment } from "../window/figures";
import { byFit, completes, hostName, modelLines, modelMessage } from "./models";
import { paletteCommands } from "../window/paletteCommands";
import type { ListedModel, OllamaModel } from "../server/protocol";
import { keepOllamaModel, ollamaSettings } from "../server/settings";
import { askForFolder } from "./trainingDialog";
import { say, sayLoaded, tell } from "../window/tell";
import { UserError } from "../window/userError";
import { waitingFor } from "../window/waitingFor";

interface ChoiceItem extends vscode.QuickPickItem {
  row: ChoiceRow;
}

/** Pattern models are taken and left while the list stays open; everything else closes it. */
export async function chooseModels(server: ServerConnection, log: vscode.LogOutputChannel): Promise<void> {
  const list = async (): Promise<ChoiceItem[]> =>
    choiceRows(await server.request("llmAssist.models.list", {}), ollamaSettings()).map((row) => ({
      label: row.label,
      description: row.description,
      detail: row.detail,
      ...row.icon === undefined ? {} : { iconPath: new vscode.ThemeIcon(row.icon) },
      row,
      kind: row.action === undefined ? vscode.QuickPickItemKind.Separator : vscode.QuickPickItemKind.Default,
    }));

  const first = await list();
  const pick = vscode.window.createQuickPick<ChoiceItem>();
  pick.title = vscode.l10n.t("Choose the models to complete from");
  pick.placeholder = vscode.l10n.t("Checked pattern models are used together; of Ollama’s models one is asked");
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.keepScrollPosition = true;
  pick.items = first;
  const accepted = pick.onDidAccept(() => {
    const action = pick.selectedItems[0]?.row.action;
    if (action !== undefined) {
      void take(action).catch(async (error: unknown) => {
        pick.hide();
        await tell(error, log);
      });
    }
  });
  const hidden = pick.onDidHide(() => {
    vscode.Disposable.from(accepted, hidden, pick).dispose();
  });
  pick.show();

  async function take(action: ChoiceAction): Promise<void> {
    if (action.kind !== "toggle") {
      pick.hide();
      await carryOut(server, action);
      return;
    }

    const { id, loaded } = action.model;
    pick.busy = true;
    // A second click must not act on what the list shows no longer truly.
    pick.enabled = false;
    try {
      await server.request(loaded ? "llmAssist.models.unload" : "llmAssist.models.load", { id });
      const items = await list();
      pick.items = items;
      pick.activeItems = items.filter(({ row }) => choiceKey(row) === id);
    } finally {
      pick.busy = false;
      pick.enabled = true;
    }
  }
}

export async function pullModel(server: ServerConnection): Promise<void> {
  const name = await askForName(await server.request("llmAssist.models.list", {}));
  if (name === undefined) {
    return;
  }

  const { id, message } = await waitingFor(vscode.l10n.t("Downloading {0}", name), (shown) =>
    server.request("llmAssist.ollama.pull", { name }, shown)).catch((error: unknown) => {
    if (error instanceof vscode.CancellationError) {
      say(vscode.l10n.t("The download is paused: download {0} again to go on with it.", name));
    }

    throw error;
  });
  const models = await server.request("llmAssist.models.list", {});
  const pulled = models.find((model): model is OllamaModel => model.source === "ollama" && model.id === id);
  if (pulled === undefined || !completes(pulled)) {
    void vscode.window.showInformationMessage(message);
    return;
  }

  const use = vscode.l10n.t("Use It");
  if (await vscode.window.showInformationMessage(message, use) === use) {
    await ask(server, pulled, "kept");
  }
}

export async function loadModel(server: ServerConnection, id?: string): Promise<void> {
  const model = await pickModel(server, id, {
    title: vscode.l10n.t("Load a model into memory"),
    fits: (model) => !model.loaded && completes(model),
    nothing: vscode.l10n.t("Every model is loaded already."),
  });
  if (model?.source === "ollama") {
    await ask(server, model, "forNow");
  } else if (model !== undefined) {
    const answer = await server.request("llmAssist.models.load", { id: model.id });
    sayLoaded(modelMessage(answer), answer.evicted);
  }
}

export async function unloadModel(server: ServerConnection, id?: string): Promise<void> {
  const model = await pickModel(server, id, {
    title: vscode.l10n.t("Unload a model; its file stays"),
    fits: ({ loaded }) => loaded,
    nothing: vscode.l10n.t("No model is loaded."),
  });
  if (model !== undefined) {
    say(modelMessage(await server.request("llmAssist.models.unload", { id: model.id })));
  }
}

export async function pinModel(server: ServerConnection, id?: string): Promise<void> {
  const model = await pickModel(server, id, {
    title: vscode.l10n.t("Pin a model: it is not unloaded to make room for others"),
    // A model of the cloud takes no memory that it could keep.
    fits: (model) => model.loaded && !model.pinned && !(model.source === "ollama" && model.remoteHost !== undefined),
    nothing: vscode.l10n.t("There is no loaded model that is not pinned already. Load one first."),
  });
  if (model !== undefined) {
    say((await server.request("llmAssist.models.pin", { id: model.id })).message);
  }
}

export async function unpinModel(server: ServerConnection, id?: string): Promise<void> {
  const model = await pickModel(server, id, {
    title: vscode.l10n.t("Unpin a model: it may be unloaded to make room for others"),
    // One that is not loaded as well: it may have been pinned before it left.
    fits: ({ pinned }) => pinned,
    nothing: vscode.l10n.t("No model is pinned."),
  });
  if (model !== undefined) {
    say((await server.request("llmAssist.models.unpin", { id: model.id })).message);
  }
}

export async function deleteModel(server: ServerConnection, id?: string): Promise<void> {
  const model = await pickModel(server, id, {
    title: vscode.l10n.t("Delete a model from disk"),
    // Ollama's may be wanted by other programs.
    fits: ({ source }) => source === "pattern",
    nothing: vscode.l10n.t("There is no pattern model. Models of Ollama are deleted in a terminal, with “ollama rm NAME”."),
  });
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

/** Deletes all but the newest of every name or, of the model of the id, of its name alone. */
export async function deleteOlderModels(server: ServerConnection, id?: string): Promise<void> {
  const all = await server.request("llmAssist.models.list", {});
  const name = id === undefined ? undefined : all.find((model) => model.id === id)?.name;
  const older = all.filter((model) => model.source === "pattern" && !model.current && (id === undefined || model.name === name));
  if (older.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There is no older version of a pattern model: each has been trained once, or the older ones are deleted."));
    return;
  }

  const freed = bytes(older.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const inUse = older.filter(({ loaded }) => loaded).length;
  const details = [
    vscode.l10n.t("That frees {0} on disk, for good. The newest version of each model stays.", freed),
    inUse === 0 ? "" : vscode.l10n.t("In use, and unloaded first: {0}.", inUse),
  ];
  const confirm = vscode.l10n.t("Delete");
  const choice = await vscode.window.showWarningMessage(
    older.length === 1 ? vscode.l10n.t("Delete 1 older version?") : vscode.l10n.t("Delete {0} older versions?", older.length),
    { modal: true, detail: details.filter((sentence) => sentence !== "").join(" ") },
    confirm,
  );
  if (choice !== confirm) {
    return;
  }

  for (const model of older) {
    await server.request("llmAssist.models.delete", { id: model.id });
  }

  say(vscode.l10n.t("Older versions deleted: {0}. Freed: {1}.", older.length, freed));
}

/** Has the server measure two models on the same code, and answers the page with the result; undefined if the user has left. */
export async function compareModels(server: ServerConnection, id?: string): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) {
    throw new UserError(vscode.l10n.t("This workspace is not trusted, and comparing runs git in it. Trust the workspace first."));
  }

  const nothing = vscode.l10n.t("Comparing takes two pattern models, and there are fewer. Training makes one.");
  const first = await pickModel(server, id, {
    title: vscode.l10n.t("Compare a model"),
    fits: ({ source }) => source === "pattern",
    nothing,
  });
  const second = first === undefined ? undefined : await pickModel(server, undefined, {
    title: vscode.l10n.t("Compare “{0}” of {1} with", first.name, moment(first.createdAt)),
    fits: (model) => model.source === "pattern" && model.id !== first.id,
    nothing,
  });
  if (first?.source !== "pattern" || second?.source !== "pattern") {
    return undefined;
  }

  const folder = await pickFolder([...first.folders, ...second.folders]);
  if (folder === undefined) {
    return undefined;
  }

  const answer = await waitingFor(vscode.l10n.t("Comparing “{0}” and “{1}”", ...distinctLabels(first, second)), (shown) =>
    server.request("llmAssist.models.compare", { a: first.id, b: second.id, folder }, shown));
  return comparisonPage(first, second, folder, answer);
}

/** The folder to measure on: one of the workspace, one that a model was trained on, or any other. */
async function pickFolder(trained: string[]): Promise<string | undefined> {
  const own = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const another = vscode.l10n.t("Another folder…");
  const items = [...new Set([...own, ...trained]), another].map((folder) => ({
    label: folder,
    description: own.includes(folder) ? vscode.l10n.t("this workspace") : "",
  }));
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Measure both on the code in") });
  return picked?.label === another ? await askForFolder(vscode.l10n.t("Measure on This Folder")) : picked?.label;
}

async function carryOut(server: ServerConnection, action: Exclude<ChoiceAction, { kind: "toggle" }>): Promise<void> {
  switch (action.kind) {
    case "ask":
      await ask(server, action.model, "kept");
      break;
    case "none":
      // First out of memory: with the setting empty, a model that runs is asked.
      if (action.current?.loaded === true) {
        await server.request("llmAssist.models.unload", { id: action.current.id });
      }

      await keepOllamaModel("");
      say(vscode.l10n.t("No model of Ollama is in use."));
      break;
    case "pull":
      await pullModel(server);
      break;
    case "train":
      await vscode.commands.executeCommand(paletteCommands.trainWorkspace);
      break;
    case "setting":
      await vscode.commands.executeCommand("workbench.action.openSettings", action.name);
      break;
  }
}

/** Has completions asked of a model of Ollama, in this session or until another is chosen. */
async function ask(server: ServerConnection, model: OllamaModel, duration: "forNow" | "kept"): Promise<void> {
  if (model.remoteHost !== undefined && !await mayBeSent(model.name, hostName(model.remoteHost))) {
    return;
  }

  const answer = await waitingFor(vscode.l10n.t("Loading {0}", model.name), (shown) =>
    server.request("llmAssist.models.load", { id: model.id }, shown));
  if (duration === "kept") {
    await keepOllamaModel(model.name);
  }

  sayLoaded(modelMessage(answer), answer.evicted);
}

async function mayBeSent(name: string, host: string): Promise<boolean> {
  const confirm = vscode.l10n.t("Send My Code to {0}", host);
  const choice = await vscode.window.showWarningMessage(
    vscode.l10n.t("“{0}” does not run on this machine", name),
    {
      modal: true,
      detail: vscode.l10n.t("While you type, the code around the cursor and parts of other files are sent to {0}.", host),
    },
    confirm,
  );
  return choice === confirm;
}

interface DownloadItem extends vscode.QuickPickItem {
  row: DownloadRow;
}

function askForName(models: ListedModel[]): Promise<string | undefined> {
  const items = (typed: string): DownloadItem[] =>
    downloadRows(typed, models).map((row) => ({
      label: row.label,
      description: row.description,
      iconPath: new vscode.ThemeIcon(row.icon),
      alwaysShow: row.always,
      row,
    }));

  const pick = vscode.window.createQuickPick<DownloadItem>();
  pick.title = vscode.l10n.t("Download a model with Ollama");
  pick.placeholder = vscode.l10n.t("A name such as qwen2.5-coder:1.5b, or one of these");
  pick.items = items("");
  return new Promise((resolve) => {
    const subscriptions = [
      pick.onDidChangeValue((typed) => {
        pick.items = items(typed);
      }),
      pick.onDidAccept(() => {
        const name = pick.selectedItems[0]?.row.name;
        if (name !== undefined) {
          resolve(name);
          pick.hide();
        }
      }),
      pick.onDidHide(() => {
        // Without effect if a name was accepted.
        resolve(undefined);
        vscode.Disposable.from(...subscriptions, pick).dispose();
      }),
    ];
    pick.show();
  });
}

interface Wanted {
  title: string;
  fits: (model: ListedModel) => boolean;
  /** What to say when there are models and none fits. */
  nothing: string;
}

/** The model of the id if there is one, else one that the user picks. */
async function pickModel(server: ServerConnection, id: string | undefined, { title, fits, nothing }: Wanted): Promise<ListedModel | undefined> {
  const all = await server.request("llmAssist.models.list", {});
  if (id !== undefined) {
    const named = all.find((model) => model.id === id);
    if (named === undefined) {
      throw new UserError(vscode.l10n.t("There is no model {0} any more. The list shows those that there are.", id));
    }

    return named;
  }

  if (all.length === 0) {
    await offerTraining();
    return undefined;
  }

  const items = byFit(all.filter(fits)).map((model) => ({ ...modelLines(model), model }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(nothing);
    return undefined;
  }

  const picked = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return picked?.model;
}

async function offerTraining(): Promise<void> {
  const train = vscode.l10n.t("Train on Workspace");
  const choice = await vscode.window.showInformationMessage(vscode.l10n.t("There is no model yet."), train);
  if (choice === train) {
    await vscode.commands.executeCommand(paletteCommands.trainWorkspace);
  }
}
