// The steps of "Train a Model": which folders, what name, what note. What is said about names is decided in trainingForm.ts.

import * as path from "node:path";
import * as vscode from "vscode";
import type { ListedModel } from "../server/protocol";
import { trainingFolders } from "../server/settings";
import { nameAfter, nameRemark, type TrainingForm } from "./trainingForm";

/** Asks step by step; undefined if the user has left. */
export async function askForTraining(models: ListedModel[]): Promise<TrainingForm | undefined> {
  const open = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const folders = trainingFolders();
  const form: Draft = { offered: [...new Set([...open, ...folders])], folders, name: "", note: "" };
  const steps = [
    askForFolders,
    (draft: Draft, place: Place) => askForText(draft, "name", place, {
      title: vscode.l10n.t("Name of the model"),
      prompt: vscode.l10n.t("Leave it empty to name the model after its folder."),
      placeholder: nameAfter(draft.folders[0] ?? ""),
      remark: (typed) => nameRemark(typed, draft.folders, models),
    }),
    (draft: Draft, place: Place) => askForText(draft, "note", place, {
      title: vscode.l10n.t("A note to remember the model by"),
      prompt: vscode.l10n.t("Optional; “llm-assist models inspect” shows it. Enter starts the training."),
      placeholder: vscode.l10n.t("such as “before the refactoring”"),
      remark: () => undefined,
    }),
  ];
  for (let index = 0; index < steps.length;) {
    const outcome = await steps[index]?.(form, { step: index + 1, totalSteps: steps.length });
    if (outcome === "back") {
      index--;
    } else if (outcome === "done") {
      index++;
    } else {
      return undefined;
    }
  }

  return { folders: form.folders, name: form.name, note: form.note };
}

/** Lets the user choose a folder anywhere; undefined if they have left. */
export async function askForFolder(openLabel: string): Promise<string | undefined> {
  const [folder] = await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, openLabel }) ?? [];
  return folder?.fsPath;
}

interface Draft extends TrainingForm {
  /** The folders of the list, checked or not. */
  offered: string[];
}

interface Place {
  step: number;
  totalSteps: number;
}

type Outcome = "done" | "back" | "left";

interface FolderItem extends vscode.QuickPickItem {
  folder: string;
}

async function askForFolders(draft: Draft, place: Place): Promise<Outcome> {
  let outcome: Outcome | "another" = draft.offered.length === 0 ? "another" : await showFolders(draft, place);
  while (outcome === "another") {
    const folder = await askForFolder(vscode.l10n.t("Learn from This Folder"));
    if (folder !== undefined) {
      draft.offered = [...new Set([...draft.offered, folder])];
      draft.folders = [...new Set([...draft.folders, folder])];
    }

    outcome = draft.offered.length === 0 ? "left" : await showFolders(draft, place);
  }

  return outcome;
}

function showFolders(draft: Draft, place: Place): Promise<Outcome | "another"> {
  const items = draft.offered.map((folder): FolderItem => ({ label: path.basename(folder), description: folder, folder }));

  const pick = vscode.window.createQuickPick<FolderItem>();
  Object.assign(pick, place);
  pick.title = vscode.l10n.t("Train a model on the code in");
  pick.placeholder = vscode.l10n.t("Check folders; the button above adds others");
  pick.canSelectMany = true;
  pick.ignoreFocusOut = true;
  pick.buttons = [{ iconPath: new vscode.ThemeIcon("new-folder"), tooltip: vscode.l10n.t("Another folder…") }];
  pick.items = items;
  pick.selectedItems = items.filter(({ folder }) => draft.folders.includes(folder));
  return new Promise((resolve) => {
    const end = (outcome: Outcome | "another"): void => {
      draft.folders = pick.selectedItems.map(({ folder }) => folder);
      resolve(outcome);
      pick.hide();
    };
    const subscriptions = [
      pick.onDidTriggerButton(() => end("another")),
      pick.onDidAccept(() => {
        if (pick.selectedItems.length !== 0) {
          end("done");
        }
      }),
      pick.onDidHide(() => {
        // Without effect if the list has an outcome.
        resolve("left");
        vscode.Disposable.from(...subscriptions, pick).dispose();
      }),
    ];
    pick.show();
  });
}

interface Question {
  title: string;
  prompt: string;
  placeholder: string;
  remark: (typed: string) => ReturnType<typeof nameRemark>;
}

function askForText(draft: Draft, field: "name" | "note", place: Place, { title, prompt, placeholder, remark }: Question): Promise<Outcome> {
  const input = vscode.window.createInputBox();
  Object.assign(input, place);
  input.title = title;
  input.prompt = prompt;
  input.placeholder = placeholder;
  input.ignoreFocusOut = true;
  input.buttons = [vscode.QuickInputButtons.Back];
  input.value = draft[field];
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      draft[field] = input.value.trim();
      resolve(outcome);
      input.hide();
    };
    const subscriptions = [
      input.onDidChangeValue(judge),
      input.onDidTriggerButton(() => end("back")),
      input.onDidAccept(() => {
        if (remark(input.value)?.isError !== true) {
          end("done");
        }
      }),
      input.onDidHide(() => {
        // Without effect if there is an outcome.
        resolve("left");
        vscode.Disposable.from(...subscriptions, input).dispose();
      }),
    ];
    judge(input.value);
    input.show();
  });

  function judge(typed: string): void {
    const said = remark(typed);
    input.validationMessage = said === undefined
      ? undefined
      : { message: said.text, severity: said.isError ? vscode.InputBoxValidationSeverity.Error : vscode.InputBoxValidationSeverity.Info };
  }
}
