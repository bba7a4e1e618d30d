// The ids of what a person can call from the palette. Disjoint from the ids of ServerCommands, see there.

export const paletteCommands = {
  trainWorkspace: "llmAssist.trainWorkspace",
  train: "llmAssist.train",
  cancelTraining: "llmAssist.cancelTraining",
  chooseModel: "llmAssist.chooseModel",
  pullModel: "llmAssist.pullModel",
  loadModel: "llmAssist.loadModel",
  unloadModel: "llmAssist.unloadModel",
  pinModel: "llmAssist.pinModel",
  unpinModel: "llmAssist.unpinModel",
  deleteModel: "llmAssist.deleteModel",
  deleteOlderModels: "llmAssist.deleteOlderModels",
  compareModels: "llmAssist.compareModels",
  refreshModels: "llmAssist.refreshModels",
  showMemory: "llmAssist.showMemory",
  setMemoryLimit: "llmAssist.setMemoryLimit",
  showMemoryHistory: "llmAssist.showMemoryHistory",
  explainCompletion: "llmAssist.explainCompletion",
  openWalkthrough: "llmAssist.openWalkthrough",
  showLog: "llmAssist.showLog",
  restart: "llmAssist.restart",
} as const;
