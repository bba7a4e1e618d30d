// Answers of a server on a laptop of 16 GB, for the tests to vary.

import type { MemoryReport, ModelMemory, OllamaModel, PatternModel, ServerStatus } from "../../src/server/protocol";

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

export function memoryReport(models: ModelMemory[], changes: Partial<MemoryReport> = {}): MemoryReport {
  const preset = (name: string, limit: number, machine: number): MemoryReport["presets"][number] =>
    ({ name, limitBytes: limit * gigabyte, machineBytes: machine * gigabyte, suits: machine === 16 });
  return {
    ...status({}, models).memory,
    processBytes: 56 * 1024 ** 2,
    presets: [preset("low", 2, 8), preset("medium", 6, 16), preset("high", 12, 32), preset("veryHigh", 24, 64)],
    advice: [],
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

export function ollamaMemory(changes: Partial<ModelMemory> = {}): ModelMemory {
  return model({
    id: "ollama:qwen2.5-coder:1.5b",
    source: "ollama",
    bytes: 1_400_000_000,
    mappedBytes: 0,
    contextTokens: 4000,
    ...changes,
  });
}

export function patternModel(changes: Partial<PatternModel> = {}): PatternModel {
  return {
    id: "pattern:shop_20251103_120000",
    name: "shop",
    source: "pattern",
    sizeBytes: 24 * 1024 ** 2,
    createdAt: "2025-11-03T12:00:00Z",
    modifiedAt: "2025-11-03T12:00:00Z",
    loaded: true,
    current: true,
    patternsStored: 1234567,
    memoryKb: 24576,
    pinned: false,
    sparsity: 0.9731,
    folders: ["/home/ana/shop", "/home/ana/lib"],
    ...changes,
  };
}

/** Changes that are undefined take a member away. */
export function ollamaModel(changes: Changes<OllamaModel> = {}): OllamaModel {
  const model = {
    id: "ollama:qwen2.5-coder:1.5b",
    name: "qwen2.5-coder:1.5b",
    source: "ollama",
    sizeBytes: 986_062_089,
    createdAt: "2025-11-03T12:00:00Z",
    modifiedAt: "2025-11-03T12:00:00Z",
    loaded: true,
    current: true,
    memoryKb: 1_367_187,
    pinned: false,
    family: "qwen2",
    parameterSize: "1.5B",
    quantization: "Q4_K_M",
    contextTokens: 4000,
    capabilities: ["completion", "insert"],
    fillsMiddle: true,
    ...changes,
  };
  return Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined)) as unknown as OllamaModel;
}

export type Changes<T> = { [Name in keyof T]?: T[Name] | undefined };
