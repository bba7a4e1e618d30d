// Entry: wires the server, the status bar, the view of models and the palette, and tells the user when the server is lost.

import * as vscode from "vscode";
import { ModelsView } from "./models/modelsView";
import { ServerConnection } from "./server/client";
import { MemoryHistoryPanel } from "./memory/historyPanel";
import { registerCommands } from "./window/commands";
import type { ServerView } from "./status/status";
import { StatusItem } from "./status/statusItem";
import { tell } from "./window/tell";

let connection: ServerConnection | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("LLM Assist", { log: true });
  const server = new ServerConnection(context, log);
  const statusItem = new StatusItem();
  const memoryHistory = new MemoryHistoryPanel(context.extensionUri, server);
  const models = new ModelsView(server, log);
  connection = server;

  context.subscriptions.push(
    log,
    server,
    statusItem,
    models,
    memoryHistory,
    vscode.window.registerWebviewPanelSerializer(MemoryHistoryPanel.type, memoryHistory),
    registerCommands(server, { models, memoryHistory }, log),
    server.onDidChangeView((view) => {
      statusItem.show(view);
      announce(view);
    }),
    server.onDidFail((error) => void tell(error, log)),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("llmAssist.server.path")) {
        void server.restart();
      } else if (change.affectsConfiguration("llmAssist.statusBar")) {
        statusItem.show(server.view);
      }
    }),
  );

  // Not awaited: the editor goes on starting meanwhile.
  void server.restart();
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
  connection = undefined;
}

/** Tells the editor which palette commands make sense now. */
function announce(view: ServerView): void {
  const running = view.kind === "reporting" || view.kind === "silent";
  const training = view.kind === "reporting" && view.progress?.cancellable === true;
  void vscode.commands.executeCommand("setContext", "llmAssist.running", running);
  void vscode.commands.executeCommand("setContext", "llmAssist.training", training);
}
