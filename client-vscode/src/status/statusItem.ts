// The item in the status bar. What it says is decided in status.ts.

import * as vscode from "vscode";
import { paletteCommands } from "../window/paletteCommands";
import { statusLabel, statusText, statusTooltip, trustedCommands, type ServerView, type StatusBarMode } from "./status";

export class StatusItem implements vscode.Disposable {
  // Right: it is about the machine and the session, not about one file's contents.
  private readonly _item = vscode.window.createStatusBarItem("llmAssist.status", vscode.StatusBarAlignment.Right, 90);

  constructor() {
    this._item.name = "LLM Assist";
  }

  /** @param snoozed says until when suggestions are snoozed; missing while they are not */
  show(view: ServerView, snoozed: string | undefined): void {
    const status = statusText(view, mode());
    // The bell takes the icon's place: as long as it is there, nothing else needs to be told at a glance.
    const text = snoozed === undefined ? status : status.replace(/^\$\([^)]*\)/, "$(bell-slash)");
    if (text === "") {
      this._item.hide();
      return;
    }

    const tooltip = new vscode.MarkdownString([...snoozed === undefined ? [] : [snoozed], statusTooltip(view)].join("\n\n"));
    tooltip.isTrusted = { enabledCommands: trustedCommands(view) };

    this._item.text = text;
    this._item.tooltip = tooltip;
    this._item.accessibilityInformation = { label: [statusLabel(view), ...snoozed === undefined ? [] : [snoozed]].join(". "), role: "button" };
    this._item.backgroundColor = view.kind === "failed"
      ? new vscode.ThemeColor("statusBarItem.errorBackground")
      : undefined;
    this._item.command = view.kind === "reporting" || view.kind === "silent"
      ? paletteCommands.showMemory
      : paletteCommands.showLog;
    this._item.show();
  }

  dispose(): void {
    this._item.dispose();
  }
}

function mode(): StatusBarMode {
  return vscode.workspace.getConfiguration("llmAssist").get<StatusBarMode>("statusBar", "full");
}
