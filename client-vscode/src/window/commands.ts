// What the palette offers: asks the user what is missing, calls the server, says how it went. What is about models is in
// modelCommands.ts, what is about completions in completionCommands.ts.

import * as vscode from "vscode";
import { explainCompletion, snoozeSuggestions, toggleCompletions, toggleLanguage, type Memory } from "../completion/completionCommands";
import type { Snooze } from "../completion/snooze";
import type { Surfaces } from "../completion/surfaces";
import type { MemoryHistoryPanel } from "../memory/historyPanel";
import { setMemoryLimit } from "../memory/limitPick";
import { showMemory } from "../memory/memoryPick";
import { chooseModels, compareModels, deleteModel, deleteOlderModels, loadModel, pinModel, pullModel, unloadModel, unpinModel } from "../models/modelCommands";
import type { ModelsView } from "../models/modelsView";
import { trainModel, trainWorkspace } from "../models/training";
import type { ServerConnection } from "../server/client";
import { Pages } from "./pages";
import { paletteCommands } from "./paletteCommands";
import { tell } from "./tell";

/** What the commands work on. */
export interface CommandParts {
  server: ServerConnection;
  models: ModelsView;
  memoryHistory: MemoryHistoryPanel;
  surfaces: Surfaces;
  snooze: Snooze;
  memory: Memory;
  log: vscode.LogOutputChannel;
}

/** Registers every palette command; the answer takes them back. */
export function registerCommands({ server, models, memoryHistory, surfaces, snooze, memory, log }: CommandParts): vscode.Disposable {
  const pages = new Pages();
  const actions: Record<keyof typeof paletteCommands, (argument: unknown) => Promise<void>> = {
    trainWorkspace: () => trainWorkspace(server),
    train: () => trainModel(server),
    cancelTraining: () => server.cancelTraining(),
    chooseModel: () => chooseModels(server, log),
    pullModel: () => pullModel(server),
    loadModel: (argument) => loadModel(server, idIn(argument)),
    unloadModel: (argument) => unloadModel(server, idIn(argument)),
    pinModel: (argument) => pinModel(server, idIn(argument)),
    unpinModel: (argument) => unpinModel(server, idIn(argument)),
    deleteModel: (argument) => deleteModel(server, idIn(argument)),
    deleteOlderModels: (argument) => deleteOlderModels(server, idIn(argument)),
    compareModels: async (argument) => {
      const page = await compareModels(server, idIn(argument));
      if (page !== undefined) {
        await pages.show("comparison", page);
      }
    },
    refreshModels: () => {
      models.refresh();
      return Promise.resolve();
    },
    showMemory: () => showMemory(server, log),
    setMemoryLimit: () => setMemoryLimit(server),
    showMemoryHistory: () => {
      memoryHistory.show();
      return Promise.resolve();
    },
    explainCompletion: () => explainCompletion(server, surfaces, pages),
    toggleCompletions: () => toggleCompletions(memory),
    toggleLanguage: () => toggleLanguage(),
    snooze: () => snoozeSuggestions(snooze),
    endSnooze: () => {
      snooze.end();
      return Promise.resolve();
    },
    openWalkthrough: async () => {
      await vscode.commands.executeCommand("workbench.action.openWalkthrough", "llm-assist.llm-assist#llmAssist.firstSteps", false);
    },
    showLog: () => {
      log.show();
      return Promise.resolve();
    },
    restart: () => server.restart(),
  };

  const registrations = Object.entries(actions).map(([name, action]) =>
    vscode.commands.registerCommand(
      paletteCommands[name as keyof typeof paletteCommands],
      (argument: unknown) => action(argument).catch((error: unknown) => tell(error, log)),
    ));
  return vscode.Disposable.from(pages, ...registrations);
}

// What a link of the tooltip and an entry of a view say about the model that is meant; the palette says nothing.
function idIn(argument: unknown): string | undefined {
  const { id } = (argument ?? {}) as { id?: unknown };
  return typeof id === "string" ? id : undefined;
}
