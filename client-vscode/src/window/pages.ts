// Pages to read, in the editor's own Markdown preview.

import * as vscode from "vscode";

/** Read-only pages, each written anew for every question. */
export class Pages implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly _scheme = "llm-assist";
  private readonly _registration = vscode.workspace.registerTextDocumentContentProvider(this._scheme, this);
  private readonly _texts = new Map<string, string>();
  private _shown = 0;

  async show(name: string, text: string): Promise<void> {
    // A new address each time: of one that it knows the editor may show the text of last time, even if it is told that
    // the text has changed. The preview takes the place of the one before all the same.
    this._shown++;
    const uri = vscode.Uri.from({ scheme: this._scheme, path: `/${name}.md`, query: String(this._shown) });
    this._texts.set(uri.path, text);
    try {
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    } catch {
      // The editor's own Markdown extension can be disabled; the source reads well enough.
      await vscode.window.showTextDocument(uri, { preview: true });
    }
  }

  provideTextDocumentContent({ path }: vscode.Uri): string {
    return this._texts.get(path) ?? "";
  }

  dispose(): void {
    this._registration.dispose();
  }
}
