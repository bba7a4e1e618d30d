// The ids of what a person can call from the palette. Disjoint from the ids of ServerCommands, see there.

export const paletteCommands = {
  trainWorkspace: "llmAssist.trainWorkspace",
  cancelTraining: "llmAssist.cancelTraining",
  chooseModel: "llmAssist.chooseModel",
  pullModel: "llmAssist.pullModel",
  loadModel: "llmAssist.loadModel",
  unloadModel: "llmAssist.unloadModel",
  pinModel: "llmAssist.pinModel",
  unpinModel: "llmAssist.unpinModel",
  deleteModel: "llmAssist.deleteModel",
  showMemory: "llmAssist.showMemory",
  showMemoryHistory: "llmAssist.showMemoryHistory",
  explainCompletion: "llmAssist.explainCompletion",
  toggleCompletions: "llmAssist.toggleCompletions",
  toggleLanguage: "llmAssist.toggleLanguage",
  snooze: "llmAssist.snooze",
  endSnooze: "llmAssist.endSnooze",
  showLog: "llmAssist.showLog",
  restart: "llmAssist.restart",
} as const;
