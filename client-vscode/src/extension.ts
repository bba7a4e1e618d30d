// Entry: wires the server, the status bar, the view of models and the palette, and tells the user when the server is lost.

import * as vscode from "vscode";
import { ModelsView } from "./models/modelsView";
import { offerGhostText } from "./completion/completionCommands";
import { Snooze } from "./completion/snooze";
import { Surfaces } from "./completion/surfaces";
import { ServerConnection } from "./server/client";
import { MemoryHistoryPanel } from "./memory/historyPanel";
import { registerCommands } from "./window/commands";
import { isTraining, type ServerView } from "./status/status";
import { StatusItem } from "./status/statusItem";
import { timeOfDay } from "./window/figures";
import { tell } from "./window/tell";

let connection: ServerConnection | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const begun = performance.now();
  const log = vscode.window.createOutputChannel("LLM Assist", { log: true });
  const snooze = new Snooze({ now: Date.now, later, changed: () => show() });
  const surfaces = new Surfaces(snooze, async () => (await server.request("llmAssist.completion.explain", {}))?.why);
  const server: ServerConnection = new ServerConnection(context, log, surfaces.middleware);
  const statusItem = new StatusItem();
  const memoryHistory = new MemoryHistoryPanel(context.extensionUri, server);
  const models = new ModelsView(server, log);
  const show = (): void => {
    const { until } = snooze;
    statusItem.show(server.view, until === undefined ? undefined : vscode.l10n.t("Suggestions are snoozed until {0}.", timeOfDay(until.getTime())));
    announce(server.view, until !== undefined);
  };
  connection = server;

  context.subscriptions.push(
    log,
    server,
    statusItem,
    snooze,
    models,
    memoryHistory,
    vscode.window.registerWebviewPanelSerializer(MemoryHistoryPanel.type, memoryHistory),
    registerCommands({ server, models, memoryHistory, surfaces, snooze, memory: context, log }),
    server.onDidChangeView(show),
    server.onDidFail((error) => void tell(error, log)),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("llmAssist.server.path")) {
        void server.restart();
      } else if (change.affectsConfiguration("llmAssist.statusBar")) {
        show();
      }
    }),
  );

  // Not awaited: the editor goes on starting meanwhile.
  void server.restart();
  void offerGhostText(context);
  log.debug(`Activated in ${(performance.now() - begun).toFixed(1)} ms.`);
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
  connection = undefined;
}

/** Tells the editor which palette commands make sense now. */
function announce(view: ServerView, isSnoozed: boolean): void {
  const running = view.kind === "reporting" || view.kind === "silent";
  const training = isTraining(view);
  void vscode.commands.executeCommand("setContext", "llmAssist.running", running);
  void vscode.commands.executeCommand("setContext", "llmAssist.training", training);
  void vscode.commands.executeCommand("setContext", "llmAssist.snoozed", isSnoozed);
}

function later(milliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
}
