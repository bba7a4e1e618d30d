// Training: what the user says about it, and what became of it.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import type { ServerCommands } from "../server/protocol";
import { say } from "../window/tell";
import { UserError } from "../window/userError";
import { waitingFor } from "../window/waitingFor";
import { modelMessage } from "./models";
import { askForTraining } from "./trainingDialog";

/** On the folders of the workspace, without a question. */
export async function trainWorkspace(server: ServerConnection): Promise<void> {
  // The palette hides the command in these cases; links and key bindings reach it all the same.
  refuseUntrusted();
  if ((vscode.workspace.workspaceFolders ?? []).length === 0) {
    throw new UserError(vscode.l10n.t("There is nothing to train on: no folder is open. Open one first."));
  }

  await train(server, {});
}

/** On what the user says. */
export async function trainModel(server: ServerConnection): Promise<void> {
  refuseUntrusted();
  const form = await askForTraining(await server.request("llmAssist.models.list", {}));
  if (form !== undefined) {
    const { folders, name, note } = form;
    await train(server, { folders, ...name === "" ? {} : { name }, ...note === "" ? {} : { note } });
  }
}

async function train(server: ServerConnection, argument: ServerCommands["llmAssist.models.train"]["argument"]): Promise<void> {
  const answer = await waitingFor(vscode.l10n.t("Learning from your code"), (shown) =>
    server.request("llmAssist.models.train", argument, { ...shown, isTraining: true })).catch((error: unknown) => {
    if (error instanceof vscode.CancellationError) {
      say(vscode.l10n.t("The training is canceled; the models that were in use stay in use."));
    }

    throw error;
  });
  void vscode.window.showInformationMessage(modelMessage(answer));
}

function refuseUntrusted(): void {
  if (!vscode.workspace.isTrusted) {
    throw new UserError(vscode.l10n.t("This workspace is not trusted, and training runs git in it. Trust the workspace first."));
  }
}
