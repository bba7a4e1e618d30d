// The panel with the memory history: one of them, which follows the server while it is seen. What the page looks like is
// decided in historyPage.ts and historyPlot.ts, and drawn by page/page.ts.

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import type { ServerView } from "../status/status";
import { isWish, type Answer, type Span } from "./historyMessages";
import { historyDocument } from "./historyPage";
import { historySeries } from "./historySeries";
import { summary } from "./memoryHistory";

// The server reports up to once a second, and the picture hardly changes.
const pause = 10_000;

/** Also what the editor asks for the panel of before, when a window is loaded again. */
export class MemoryHistoryPanel implements vscode.WebviewPanelSerializer, vscode.Disposable {
  static readonly type = "llmAssist.memoryHistory";

  private readonly _folder: vscode.Uri;
  private _page: Page | undefined;

  constructor(extension: vscode.Uri, private readonly _server: Pick<ServerConnection, "request" | "view" | "onDidChangeView">) {
    this._folder = vscode.Uri.joinPath(extension, "dist", "memoryHistory");
  }

  show(): void {
    if (this._page === undefined) {
      this.adopt(vscode.window.createWebviewPanel(MemoryHistoryPanel.type, vscode.l10n.t("Memory History"), vscode.ViewColumn.Active));
    } else {
      this._page.panel.reveal();
    }
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    if (this._page === undefined) {
      this.adopt(panel);
    } else {
      panel.dispose();
    }

    return Promise.resolve();
  }

  dispose(): void {
    this._page?.panel.dispose();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    const page = new Page(panel, this._server);
    this._page = page;
    panel.onDidDispose(() => {
      page.dispose();
      this._page = undefined;
    });

    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [this._folder] };
    webview.html = historyDocument({
      cspSource: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(this._folder, "page.js")).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(this._folder, "page.css")).toString(),
      nonce: randomUUID(),
      language: vscode.env.language,
      translations: vscode.l10n.bundle ?? {},
    });
  }
}

/** One life of the panel. */
class Page implements vscode.Disposable {
  private readonly _subscriptions: vscode.Disposable[];
  // Unknown until the page has asked for the first time. Out of sight it does not live, and asks again when it is back.
  private _hours: Span | undefined;
  private _seen = "";
  private _asked = 0;
  private _askedAt = 0;
  private _next: NodeJS.Timeout | undefined;

  constructor(readonly panel: vscode.WebviewPanel, private readonly _server: Pick<ServerConnection, "request" | "view" | "onDidChangeView">) {
    this._subscriptions = [
      panel.webview.onDidReceiveMessage((message: unknown) => {
        if (isWish(message)) {
          this._hours = message.hours;
          void this.refresh(message.hours);
        }
      }),
      _server.onDidChangeView((view) => this.follow(view)),
    ];
  }

  dispose(): void {
    clearTimeout(this._next);
    vscode.Disposable.from(...this._subscriptions).dispose();
  }

  private follow(view: ServerView): void {
    const seen = view.kind === "reporting" ? JSON.stringify(view.status.memory) : view.kind;
    if (seen === this._seen) {
      return;
    }

    this._seen = seen;
    this._next ??= setTimeout(() => {
      this._next = undefined;
      if (this.panel.visible && this._hours !== undefined) {
        void this.refresh(this._hours);
      }
    }, Math.max(0, this._askedAt + pause - Date.now()));
  }

  private async refresh(hours: Span): Promise<void> {
    // It is on its way: what it reports first brings the history.
    if (this._server.view.kind === "starting") {
      return;
    }

    this._askedAt = Date.now();
    const asked = ++this._asked;
    const answer = await this.ask(hours);
    if (asked === this._asked) {
      await this.panel.webview.postMessage(answer);
    }
  }

  private async ask(hours: Span): Promise<Answer> {
    try {
      const history = await this._server.request("llmAssist.memory.history", { hours });
      return { kind: "history", hours, series: historySeries(history, hours, Date.now()), summary: summary(history) };
    } catch (error) {
      return { kind: "trouble", message: error instanceof Error ? error.message : String(error) };
    }
  }
}
