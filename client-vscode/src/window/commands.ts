// What the palette offers: asks the user what is missing, calls the server, says how it went. What is about models is in
// modelCommands.ts, what is about completions in completionCommands.ts.

import * as vscode from "vscode";
import { explainCompletion, snoozeSuggestions, toggleCompletions, toggleLanguage, type Memory } from "../completion/completionCommands";
import type { Snooze } from "../completion/snooze";
import type { Surfaces } from "../completion/surfaces";
import { memoryHistoryPage } from "../memory/memoryHistory";
import { showMemory } from "../memory/memoryPick";
import { chooseModels, deleteModel, loadModel, pinModel, pullModel, unloadModel, unpinModel } from "../models/modelCommands";
import { trainWorkspace } from "../models/training";
import type { ServerConnection } from "../server/client";
import { Pages } from "./pages";
import { paletteCommands } from "./paletteCommands";
import { tell } from "./tell";

/** Registers every palette command; the answer takes them back. */
export function registerCommands(
  server: ServerConnection,
  surfaces: Surfaces,
  snooze: Snooze,
  memory: Memory,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const pages = new Pages();
  const actions: Record<keyof typeof paletteCommands, (argument: unknown) => Promise<void>> = {
    trainWorkspace: () => trainWorkspace(server),
    cancelTraining: () => server.cancelTraining(),
    chooseModel: () => chooseModels(server, log),
    pullModel: () => pullModel(server),
    loadModel: (argument) => loadModel(server, idIn(argument)),
    unloadModel: (argument) => unloadModel(server, idIn(argument)),
    pinModel: (argument) => pinModel(server, idIn(argument)),
    unpinModel: (argument) => unpinModel(server, idIn(argument)),
    deleteModel: (argument) => deleteModel(server, idIn(argument)),
    showMemory: () => showMemory(server, log),
    showMemoryHistory: async () => {
      const hours = 24;
      await pages.show("memory", memoryHistoryPage(await server.request("llmAssist.memory.history", { hours }), hours));
    },
    explainCompletion: () => explainCompletion(server, surfaces, pages),
    toggleCompletions: () => toggleCompletions(memory),
    toggleLanguage: () => toggleLanguage(),
    snooze: () => snoozeSuggestions(snooze),
    endSnooze: () => {
      snooze.end();
      return Promise.resolve();
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
