// How the user is told what happened outside of lists and pages.

import * as vscode from "vscode";
import { UserError } from "./userError";

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

/** What became of a load. That others had to leave for it must not pass unseen. */
export function sayLoaded(message: string, evicted: string[] | undefined): void {
  if (evicted === undefined || evicted.length === 0) {
    say(message);
  } else {
    void vscode.window.showInformationMessage(message);
  }
}

/** Success needs no click to go away. */
export function say(message: string): void {
  vscode.window.setStatusBarMessage(message, 5000);
}
