// Training: what the user says about it, and what became of it.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import { UserError } from "../window/userError";
import { modelMessage } from "./models";

export async function trainWorkspace(server: ServerConnection): Promise<void> {
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
