// What client and server say to each other beyond LSP: the mirror of the server's AssistProtocol. Types and names only.
// The prose is server/docs/protocol-extensions.md. A property that may be missing is one that the server does not know.

/** Server to client: on change, at most once a second, and at least every five seconds while a model is loaded. */
export const statusNotification = "llmAssist/status";

/** Server to client, if the client has announced that it takes it: keeps what the user answered to a question of the server. */
export const updateSettingRequest = "llmAssist/updateSetting";

/** What a client announces in `experimental` of its capabilities. */
export const experimentalCapabilities = { llmAssist: { updateSetting: true } } as const;

export interface SettingUpdate {
  /** Without the leading `llmAssist`. */
  key: string;
  value: unknown;
}

export type ServerState = "ready" | "training" | "loading" | "degraded" | "off";

export interface ServerStatus {
  state: ServerState;
  busy: boolean;
  /** In the user's language; empty when there is nothing to say. */
  message: string;
  /** What the user can do about it. */
  command?: { title: string; command: string; arguments?: unknown[] };
  memory: MemoryStatus;
}

export interface MemoryStatus {
  systemTotalBytes?: number;
  systemAvailableBytes?: number;
  /** 0 to 100. */
  systemUsedPercent?: number;
  /** What models may use together, in all windows. */
  limitBytes: number;
  /** What all models take now. */
  modelsBytes: number;
  models: ModelMemory[];
  /** Sentences in the user's language. */
  advice?: string[];
}

/** A loaded model. */
export interface ModelMemory {
  id: string;
  source: string;
  /** What it takes now: private memory, and the pages of its file that are in RAM. */
  bytes: number;
  /** The length of the mapped file; windows share it, and the system takes it back when memory is short. */
  mappedBytes: number;
  vramBytes: number;
  /** Missing for a model that has no such window. */
  contextTokens?: number;
  /** ISO 8601. */
  lastUsed: string;
  /** Whether it is never unloaded to make room. */
  pinned: boolean;
  busy: boolean;
}

export interface MemoryReport extends MemoryStatus {
  advice: string[];
  /** The server process itself. */
  processBytes?: number;
  /** The smallest first. */
  presets: LimitPreset[];
}

/** A limit for what models may use together, by name. */
export interface LimitPreset {
  /** As the setting has it. */
  name: string;
  limitBytes: number;
  /** The memory of the machines that it is made for. */
  machineBytes: number;
  /** Whether it is the one for this machine. */
  suits: boolean;
}

/** What was in memory in the last hours, and what happened to it. */
export interface MemoryHistory {
  /** The oldest first. */
  samples: MemorySample[];
  /** The oldest first. */
  events: MemoryEvent[];
}

/** What the machine had at one moment, and what models took of it. */
export interface MemorySample {
  /** ISO 8601. */
  at: string;
  totalBytes?: number;
  availableBytes?: number;
  limitBytes: number;
  models: ModelShare[];
}

export interface ModelShare {
  id: string;
  bytes: number;
}

export interface MemoryEvent {
  /** ISO 8601. */
  at: string;
  /** `load`, `unload`, `evict`, `refuse`, `expire` or `crash`. */
  kind: string;
  id: string;
  /** What the model took or would have taken; 0 if that is not known. */
  bytes: number;
  /** In the user's language. */
  reason: string;
}

/** A model on disk, loaded or not. What only one kind of model has is in {@link PatternModel} and {@link OllamaModel}. */
export interface ModelEntry {
  /** `pattern:NAME_YYYYMMDD_HHMMSS` or `ollama:NAME:TAG`. */
  id: string;
  /** Pattern models that were trained under one name share it. */
  name: string;
  source: string;
  /** On disk. */
  sizeBytes: number;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  modifiedAt: string;
  loaded: boolean;
  /** Of pattern models the newest of its name, of Ollama's the one that is asked for completions. */
  current: boolean;
  /** Of a pattern model the file, of Ollama's what it takes now: 0 if it is not loaded. */
  memoryKb: number;
  /** Whether it is never unloaded to make room. */
  pinned: boolean;
}

export interface PatternModel extends ModelEntry {
  source: "pattern";
  patternsStored: number;
  /** 0 to 1: the share of possible patterns that is absent. */
  sparsity: number;
  /** What it was trained on. */
  folders: string[];
}

/** A model that Ollama has. Older versions of Ollama tell less. */
export interface OllamaModel extends ModelEntry {
  source: "ollama";
  family?: string;
  /** As Ollama writes it: `1.5B`. */
  parameterSize?: string;
  /** `Q4_K_M`. */
  quantization?: string;
  /** Of a loaded model. */
  contextTokens?: number;
  /** `completion`, `insert`, `embedding` and more. */
  capabilities?: string[];
  /** Missing while nobody has found out. */
  fillsMiddle?: boolean;
  /** Where a model of the cloud runs: what it is asked is sent there. Missing for models of this machine. */
  remoteHost?: string;
  /** What it takes of RAM, or would take if it were loaded. */
  predictedBytes?: number;
  /** Whether there is room for it. */
  fit?: Fit;
  /** The context that it would be loaded with. */
  fitContextTokens?: number;
  /** The ids of the models that would have to be unloaded for it. */
  fitEvicts?: string[];
}

export type Fit = "now" | "afterEvicting" | "no";

export type ListedModel = PatternModel | OllamaModel;

export interface ModelStatistics {
  patternsStored: number;
  memoryKb: number;
  /** 0 to 1. */
  sparsity: number;
}

export interface ModelAnswer {
  /** One sentence in the user's language. */
  message: string;
  modelStats?: ModelStatistics;
  /** The models that left memory for it; missing if none did. */
  evicted?: string[];
}

export interface PinAnswer {
  id: string;
  pinned: boolean;
  /** One sentence in the user's language. */
  message: string;
}

/** How well two models predict the same code. */
export interface Comparison {
  a: Evaluation;
  b: Evaluation;
}

/** How well a model predicts code; of the server's figures those that this client shows. Shares are 0 to 1. */
export interface Evaluation {
  /** How many symbols were predicted. */
  tokens: number;
  /** The right symbol came first. */
  top1: number;
  top5: number;
  bitsPerToken: number;
  identifier: { top1: number };
  line: { exact: number };
  /** Of somebody who types the code and accepts whatever is right. */
  keystrokes: { saved: number; precision: number };
  /** Names of which the first letter is typed. */
  word: { top1: number };
  speed: { lineMicroseconds: { p50: number } };
  size: { modelBytes: number };
  perLanguage: { language: string; tokens: number; top1: number }[];
}

export type Lane = "pattern" | "ollama" | "cache" | "none";

/** Why the last request for a completion was answered as it was. */
export interface Explanation {
  uri: string;
  surface: "inline" | "list";
  lane: Lane;
  /** When nothing was shown: the gate that stopped it. */
  why?: string;
  /** Confidence from 0 to 1. */
  items: { text: string; confidence: number; lane?: Lane }[];
  filtered: { filter: string; text: string }[];
  stages: { stage: string; microseconds: number }[];
  /** What became of asking a model of Ollama; missing when none was to be asked. */
  ollama?: ExplainedOllama;
  /** Suggestions taken in this session, and the characters that they had. */
  accepted: { suggestions: number; characters: number };
}

export interface ExplainedOllama {
  /** Missing when there was none to ask. */
  model?: string;
  /** `answered`, `late` and so on, see explanation.ts. */
  outcome: string;
  /** One sentence in the user's language. */
  why?: string;
  /** How long typing had to pause before the model was asked. */
  delayMilliseconds: number;
  /** Missing when none had come yet. */
  firstTextMilliseconds?: number;
  /** How long the answer to the editor was held back for the model. */
  waitedMilliseconds: number;
  /** What it had produced. */
  text?: string;
  /** What ended it, see explanation.ts; missing when nothing had yet. */
  ended?: string;
}

/**
 * The commands of the server that this client calls through `workspace/executeCommand`: one object in, plain JSON out.
 * The language client registers these ids with the editor, so no palette command may have one of them.
 */
export interface ServerCommands {
  "llmAssist.models.list": { argument: Record<string, never>; answer: ListedModel[] };
  "llmAssist.models.load": { argument: { id: string }; answer: ModelAnswer };
  "llmAssist.models.unload": { argument: { id: string }; answer: ModelAnswer };
  /** All that this server has loaded; what others have loaded stays. */
  "llmAssist.models.unloadAll": { argument: Record<string, never>; answer: { message: string } };
  "llmAssist.models.pin": { argument: { id: string }; answer: PinAnswer };
  "llmAssist.models.unpin": { argument: { id: string }; answer: PinAnswer };
  "llmAssist.models.delete": { argument: { id: string }; answer: ModelAnswer };
  "llmAssist.models.train": { argument: { folders?: string[]; name?: string; note?: string }; answer: ModelAnswer };
  "llmAssist.models.compare": { argument: { a: string; b: string; folder: string }; answer: Comparison };
  /** Takes as long as the download. Asking again goes on where it was canceled. */
  "llmAssist.ollama.pull": { argument: { name: string }; answer: { id: string; message: string } };
  "llmAssist.memory.status": { argument: Record<string, never>; answer: MemoryReport };
  /** For this session; a preset or a number of gigabytes. */
  "llmAssist.memory.setLimit": { argument: { limit: string | number }; answer: { limitBytes: number; message: string } };
  "llmAssist.memory.history": { argument: { hours?: number }; answer: MemoryHistory };
  /** `null` before the first request. */
  "llmAssist.completion.explain": { argument: Record<string, never>; answer: Explanation | null };
}
