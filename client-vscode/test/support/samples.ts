// Answers of a server on a laptop of 16 GB, for the tests to vary.

import type { ModelMemory, ServerStatus } from "../../src/protocol";

const gigabyte = 1024 ** 3;

export function status(changes: Partial<ServerStatus> = {}, models: ModelMemory[] = [model()]): ServerStatus {
  return {
    state: "ready",
    busy: false,
    message: "",
    memory: {
      systemTotalBytes: 15.6 * gigabyte,
      systemAvailableBytes: 6.6 * gigabyte,
      systemUsedPercent: 57.7,
      limitBytes: 6 * gigabyte,
      modelsBytes: models.reduce((sum, { bytes }) => sum + bytes, 0),
      models,
    },
    ...changes,
  };
}

export function model(changes: Partial<ModelMemory> = {}): ModelMemory {
  return {
    id: "pattern:shop",
    source: "pattern",
    bytes: 3 * 1024 ** 2,
    mappedBytes: 24 * 1024 ** 2,
    vramBytes: 0,
    lastUsed: "2025-11-03T12:00:00Z",
    pinned: false,
    busy: false,
    ...changes,
  };
}
