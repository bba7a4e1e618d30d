// The view of models in the side bar. What it says is decided in modelTree.ts.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import type { ListedModel } from "../server/protocol";
import { ollamaSettings, trainingFolders } from "../server/settings";
import { adopted, listingKey, modelRows, parentOf, welcome, type ModelRow, type TreeFacts } from "./modelTree";

/** Lists the models only while somebody looks: it costs Ollama an answer. */
export class ModelsView implements vscode.TreeDataProvider<ModelRow>, vscode.Disposable {
  private readonly _changed = new vscode.EventEmitter<ModelRow[] | undefined>();
  private readonly _view: vscode.TreeView<ModelRow>;
  private readonly _subscriptions: vscode.Disposable[];
  // As they were listed last; undefined before that.
  private _models: ListedModel[] | undefined;
  private _isStale = true;
  private _listings = 0;
  private _listing: { number: number; done: Promise<void> } | undefined;
  private _key = "";
  // As the editor has them.
  private _rows: ModelRow[] = [];

  readonly onDidChangeTreeData = this._changed.event;

  constructor(private readonly _server: ServerConnection, private readonly _log: vscode.LogOutputChannel) {
    this._view = vscode.window.createTreeView("llmAssist.modelsView", { treeDataProvider: this });
    const refresh = (): void => this.refresh();
    this._subscriptions = [
      this._changed,
      this._view,
      // What fits may have changed while nobody looked.
      this._view.onDidChangeVisibility(({ visible }) => visible ? refresh() : undefined),
      _server.onDidChangeView(() => this.follow()),
      _server.onDidChangeModels(refresh),
      vscode.workspace.onDidChangeWorkspaceFolders(refresh),
      vscode.workspace.onDidGrantWorkspaceTrust(refresh),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (["ollama", "training.folders", "memory"].some((name) => change.affectsConfiguration(`llmAssist.${name}`))) {
          refresh();
        }
      }),
    ];
  }

  /** Asks for the models as soon as they are to be seen. */
  refresh(): void {
    this._listings++;
    this._isStale = true;
    if (this._models === undefined || !this._view.visible || !this.isRunning) {
      this._changed.fire(undefined);
      return;
    }

    void this.list().then(() => {
      this.redraw();
      // Without rows before and after there is nothing to draw, and yet another reason for that.
      this.sayWhatIsMissing();
    });
  }

  getTreeItem(row: ModelRow): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(row.label, row.children.length === 0 ? None : row.isOpen ? Expanded : Collapsed);
    item.id = row.id;
    item.description = row.description;
    item.tooltip = row.tooltip === "" ? row.spoken : new vscode.MarkdownString(row.tooltip);
    item.accessibilityInformation = { label: row.spoken };
    item.contextValue = row.actions.join(" ");
    if (row.icon !== "") {
      item.iconPath = new vscode.ThemeIcon(row.icon, row.icon === "pass-filled" ? new vscode.ThemeColor("testing.iconPassed") : undefined);
    }

    if (row.command !== undefined) {
      item.command = row.command;
    }

    return item;
  }

  async getChildren(row?: ModelRow): Promise<ModelRow[]> {
    if (row !== undefined) {
      return row.children;
    }

    if (this._isStale && this.isRunning) {
      await this.list();
    }

    this.sayWhatIsMissing();
    const before = this._rows;
    this._rows = this.rows();
    void this.keepSelection(before).catch((error: unknown) => this._log.warn(`The view of models: ${String(error)}`));
    return this._rows;
  }

  getParent({ id }: ModelRow): ModelRow | undefined {
    return parentOf(id, this._rows);
  }

  dispose(): void {
    vscode.Disposable.from(...this._subscriptions).dispose();
  }

  private get isRunning(): boolean {
    const { kind } = this._server.view;
    return kind === "silent" || kind === "reporting";
  }

  // Asked once for each time that others may be there, whoever waits for it.
  private list(): Promise<void> {
    if (this._listing?.number !== this._listings) {
      this._listing = { number: this._listings, done: this.ask(this._listings) };
    }

    return this._listing.done;
  }

  private async ask(number: number): Promise<void> {
    try {
      const models = await this._server.request("llmAssist.models.list", {});
      if (number === this._listings) {
        this._models = models;
        this._isStale = false;
      }
    } catch (error) {
      // The status bar tells of a server that is lost; a view that could not be drawn needs no message of its own.
      this._log.warn(`The view of models: ${String(error)}`);
      this._listing = undefined;
    }
  }

  // The editor keeps what is selected, except for a model that goes to another section when it is loaded or unloaded.
  private async keepSelection(before: ModelRow[]): Promise<void> {
    const id = this._view.selection[0]?.id ?? "";
    const parent = parentOf(id, this._rows);
    const row = parent?.children.find((child) => child.id === id);
    // What is an older version by now is not worth opening the newest for, and a view that is hidden must not come forward.
    if (this._view.visible && row !== undefined && parent?.isOpen === true && parent.id !== parentOf(id, before)?.id) {
      await this._view.reveal(row, { select: true, focus: false });
    }
  }

  private follow(): void {
    const { view } = this._server;
    const key = view.kind === "reporting" ? listingKey(view.status) : view.kind;
    if (key !== this._key) {
      this._key = key;
      this.refresh();
    } else if (!this._isStale) {
      this.redraw();
    }

    this.sayWhatIsMissing();
  }

  // Between drawing all rows anew and their being there the editor knows none: a button that is pressed then would not say whose it is. So
  // all are drawn only if some came or went; what a row says is exchanged in its place.
  private redraw(): void {
    const changed = adopted(this._rows, this.rows());
    if (changed === undefined || changed.length !== 0) {
      this._changed.fire(changed);
    }
  }

  private rows(): ModelRow[] {
    return this.isRunning && this._models !== undefined ? modelRows({ models: this._models, ...this.facts() }) : [];
  }

  private facts(): Omit<TreeFacts, "models"> {
    const { view } = this._server;
    return {
      memory: view.kind === "reporting" ? view.status.memory.models : [],
      folders: trainingFolders(),
      isTrusted: vscode.workspace.isTrusted,
      isTraining: view.kind === "reporting" && view.status.state === "training",
      isOllamaEnabled: ollamaSettings().enabled,
    };
  }

  private sayWhatIsMissing(): void {
    const { kind } = this._server.view;
    this._view.message = kind === "starting" ? vscode.l10n.t("The server is starting…") : "";
    void vscode.commands.executeCommand("setContext", "llmAssist.modelsWelcome", welcome(kind, this._models, this.facts()));
  }
}
