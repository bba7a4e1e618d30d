// The item in the status bar. What it says is decided in status.ts.

import * as vscode from "vscode";
import { escaped } from "../window/markdown";
import { paletteCommands } from "../window/paletteCommands";
import {
  differsInFigures, noPressure, pressureOf, statusLabel, statusText, statusTooltip, trustedCommands, type ServerView, type StatusBarMode,
} from "./status";

// While only figures change, links stay in place for as long as it takes to read and click them.
const steadyMilliseconds = 10_000;

export class StatusItem implements vscode.Disposable {
  // Right: it is about the machine and the session, not about one file's contents.
  private readonly _item = vscode.window.createStatusBarItem("llmAssist.status", vscode.StatusBarAlignment.Right, 90);
  private _pressure = noPressure;
  private _tooltip = "";
  private _drawnAt = 0;
  private _later: NodeJS.Timeout | undefined;

  constructor() {
    this._item.name = "LLM Assist";
  }

  /** @param snoozed says until when suggestions are snoozed; missing while they are not */
  show(view: ServerView, snoozed: string | undefined): void {
    clearTimeout(this._later);
    this._pressure = pressureOf(view, this._pressure);
    const status = statusText(view, mode(), this._pressure);
    // The bell takes the icon's place: as long as it is there, nothing else needs to be told at a glance.
    const text = snoozed === undefined ? status : status.replace(/^\$\([^)]*\)/, "$(bell-slash)");
    if (text === "") {
      this._item.hide();
      return;
    }

    this._item.text = text;
    this.showTooltip(view, snoozed);
    this._item.accessibilityInformation = { label: [statusLabel(view, this._pressure), ...snoozed === undefined ? [] : [snoozed]].join(". "), role: "button" };
    this._item.backgroundColor = this.background(view);
    this._item.command = view.kind === "reporting" || view.kind === "silent"
      ? paletteCommands.showMemory
      : paletteCommands.showLog;
    this._item.show();
  }

  dispose(): void {
    clearTimeout(this._later);
    this._item.dispose();
  }

  private showTooltip(view: ServerView, snoozed: string | undefined): void {
    const text = [
      statusTooltip(view, Date.now(), this._pressure, vscode.workspace.isTrusted),
      ...snoozed === undefined ? [] : [noteWithLink(snoozed, vscode.l10n.t("End Snooze"), paletteCommands.endSnooze)],
    ].join("\n\n");
    const rest = differsInFigures(this._tooltip, text) ? this._drawnAt + steadyMilliseconds - performance.now() : 0;
    if (0 < rest) {
      this._later = setTimeout(() => this.showTooltip(view, snoozed), rest);
      return;
    }

    const tooltip = new vscode.MarkdownString(text);
    tooltip.isTrusted = { enabledCommands: trustedCommands(view) };
    this._item.tooltip = tooltip;
    this._tooltip = text;
    this._drawnAt = performance.now();
  }

  private background(view: ServerView): vscode.ThemeColor | undefined {
    if (view.kind === "failed") {
      return new vscode.ThemeColor("statusBarItem.errorBackground");
    }

    return this._pressure.models || this._pressure.system ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }
}

function noteWithLink(note: string, title: string, command: string): string {
  return `${escaped(note)} [${escaped(title)}](command:${command})`;
}

function mode(): StatusBarMode {
  return vscode.workspace.getConfiguration("llmAssist").get<StatusBarMode>("statusBar", "full");
}
