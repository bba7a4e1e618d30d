// Between the editor and the language client: what the server is asked, and which of its answers are shown. What is said
// about it is in gates.ts.

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import { say } from "../window/tell";
import { closedGate, type Situation, type Surface } from "./gates";
import { OtherLists } from "./otherLists";
import type { Snooze } from "./snooze";
import { serves, type Languages } from "./switches";

/** Which documents are completed. Cells of notebooks, and the editor's own settings, are left alone. */
export const documentSelector = [{ scheme: "file" }, { scheme: "untitled" }];

export class Surfaces {
  private readonly _otherLists = new OtherLists<ListPlace>((place) => this.othersFill(place), () => performance.now());
  // While others are asked for their list, the editor asks us too.
  private _silentAt: ListPlace | undefined;

  /** @param _why asks the server why its last answer was empty */
  constructor(private readonly _snooze: Snooze, private readonly _why: () => Promise<string | undefined>) {}

  readonly middleware: Pick<Middleware, "provideCompletionItem" | "provideInlineCompletionItems"> = {
    provideCompletionItem: async (document, position, context, token, next) => {
      if (this.isSilentAt({ document, position }) || closedGate("list", this.situation(document)) !== undefined) {
        return undefined;
      }

      const answer = await next(document, position, context, token);
      const items = Array.isArray(answer) ? answer : answer?.items ?? [];
      if (items.length === 0 || !this._otherLists.fill(document.languageId, { document, position })) {
        return answer;
      }

      return besideOthers(items, document, position);
    },
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const gate = closedGate("inline", this.situation(document));
      const answer = gate === undefined ? await next(document, position, context, token) : undefined;
      const items = Array.isArray(answer) ? answer : answer?.items ?? [];
      if (items.length === 0 && context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke && !token.isCancellationRequested) {
        void this.sayWhyNothing(gate);
      }

      return answer;
    },
  };

  /** What decides about completions in a document, where the cursor is now. */
  situation(document: vscode.TextDocument): Situation {
    const settings = vscode.workspace.getConfiguration("llmAssist.completion", document);
    const editor = vscode.window.activeTextEditor;
    const shows = (surface: Surface): boolean => settings.get(surface, true);
    return {
      snoozedUntil: this._snooze.until,
      source: settings.get("source", "auto"),
      language: document.languageId,
      servesLanguage: serves(settings.get<Languages>("languages", {}), document.languageId),
      shows: { inline: shows("inline"), list: shows("list") },
      cursors: editor?.document === document ? editor.selections.length : 1,
    };
  }

  // Whoever asks and gets nothing shall know that they were heard.
  private async sayWhyNothing(gate: string | undefined): Promise<void> {
    try {
      const why = gate ?? await this._why();
      say(why === undefined
        ? vscode.l10n.t("LLM Assist has no suggestion here.")
        : vscode.l10n.t("LLM Assist has no suggestion here: {0}", why));
    } catch {
      // The server is gone, which the status bar tells.
    }
  }

  private async othersFill(place: ListPlace): Promise<boolean> {
    this._silentAt = place;
    try {
      const { items } = await vscode.commands.executeCommand<vscode.CompletionList>("vscode.executeCompletionItemProvider", place.document.uri, place.position);
      // Words of the open files and snippets are offered in every language; they take no account of it.
      return items.some(({ kind }) => kind !== vscode.CompletionItemKind.Text && kind !== vscode.CompletionItemKind.Snippet);
    } finally {
      this._silentAt = undefined;
    }
  }

  private isSilentAt({ document, position }: ListPlace): boolean {
    return this._silentAt?.document === document && this._silentAt.position.isEqual(position);
  }
}

interface ListPlace {
  document: vscode.TextDocument;
  position: vscode.Position;
}

// Where others name things too, only what the server is sure of.
function besideOthers(items: vscode.CompletionItem[], document: vscode.TextDocument, position: vscode.Position): vscode.CompletionList {
  const leading = items.filter(({ sortText = "" }) => !sortText.startsWith(behind));
  const [first] = items;
  if (leading.length === 0 && first !== undefined && document.getWordRangeAtPosition(position) !== undefined) {
    // With the next character the server may be sure, but the editor asks again only those who have an entry in its list.
    // This one matches nothing that can be typed, so that it is never seen.
    first.filterText = "\0";
    leading.push(first);
  }

  return new vscode.CompletionList(leading, true);
}

// How the `sortText` of entries begins that are no better than what others offer, see the protocol's page.
const behind = "~";
