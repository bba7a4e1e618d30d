// The list of what memory is taken by, with what can be done about it. What it says is decided in memoryRows.ts.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import { say, tell } from "../window/tell";
import { memoryRows, type MemoryAction, type MemoryRow } from "./memoryRows";

interface MemoryItem extends vscode.QuickPickItem {
  row: MemoryRow;
}

/** Stays open and follows memory until something is chosen that has a place of its own. */
export async function showMemory(server: ServerConnection, log: vscode.LogOutputChannel): Promise<void> {
  let report = await server.request("llmAssist.memory.status", {});

  const pick = vscode.window.createQuickPick<MemoryItem>();
  const unloadButton = button("debug-disconnect", vscode.l10n.t("Unload"));
  const pinButton = button("pin", vscode.l10n.t("Pin: never unload it to make room for others"));
  const unpinButton = button("pinned", vscode.l10n.t("Unpin: it may be unloaded to make room for others"));

  pick.title = vscode.l10n.t("Memory");
  pick.placeholder = vscode.l10n.t("Enter unloads the model of a row; the buttons beside it also pin it");
  pick.matchOnDescription = true;
  pick.keepScrollPosition = true;
  draw();

  const subscriptions = [
    server.onDidChangeView((view) => {
      if (view.kind === "reporting") {
        // If it fails the server is about to go, or the log tells why.
        refresh().catch(() => pick.hide());
      } else {
        pick.hide();
      }
    }),
    pick.onDidTriggerItemButton(({ item, button }) => {
      const { model } = item.row;
      if (model !== undefined) {
        follow(button === unloadButton ? take({ kind: "unload", id: model.id }) : pin(model));
      }
    }),
    pick.onDidAccept(() => {
      const action = pick.selectedItems[0]?.row.action;
      if (action !== undefined) {
        follow(take(action));
      }
    }),
    pick.onDidHide(() => {
      vscode.Disposable.from(...subscriptions, pick).dispose();
    }),
  ];
  pick.show();

  // Nothing is drawn that says the same: it would take the pointer off the button that it is on.
  function draw(): void {
    const rows = memoryRows(report, Date.now());
    if (JSON.stringify(rows) === JSON.stringify(pick.items.map(({ row }) => row))) {
      return;
    }

    const key = pick.activeItems[0]?.row.key;
    pick.items = rows.map((row) => ({
      label: row.label,
      description: row.description,
      ...row.icon === undefined ? {} : { iconPath: new vscode.ThemeIcon(row.icon) },
      ...row.model === undefined ? {} : { buttons: [row.model.pinned ? unpinButton : pinButton, unloadButton] },
      kind: row.icon === undefined ? vscode.QuickPickItemKind.Separator : vscode.QuickPickItemKind.Default,
      row,
    }));
    const active = pick.items.filter(({ row }) => row.key === key);
    // Where a model has left, the editor begins at the first row again, where Enter does nothing: better than that it
    // unloads the next model.
    if (active.length !== 0) {
      pick.activeItems = active;
    }
  }

  async function refresh(): Promise<void> {
    report = await server.request("llmAssist.memory.status", {});
    draw();
  }

  async function take(action: MemoryAction): Promise<void> {
    if (action.kind === "command") {
      pick.hide();
      await vscode.commands.executeCommand(action.command);
      return;
    }

    await busily(async () => {
      const { message } = action.kind === "unload"
        ? await server.request("llmAssist.models.unload", { id: action.id })
        : await server.request("llmAssist.models.unloadAll", {});
      say(message);
    });
  }

  function pin({ id, pinned }: NonNullable<MemoryRow["model"]>): Promise<void> {
    return busily(async () => {
      say((await server.request(pinned ? "llmAssist.models.unpin" : "llmAssist.models.pin", { id })).message);
    });
  }

  async function busily(work: () => Promise<void>): Promise<void> {
    pick.busy = true;
    try {
      await work();
      await refresh();
    } finally {
      pick.busy = false;
    }
  }

  function follow(work: Promise<void>): void {
    work.catch(async (error: unknown) => {
      pick.hide();
      await tell(error, log);
    });
  }
}

function button(icon: string, tooltip: string): vscode.QuickInputButton {
  return { iconPath: new vscode.ThemeIcon(icon), tooltip };
}
