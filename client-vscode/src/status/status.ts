// What the status bar says: text, tooltip and spoken label for a view of the server. Pure; statusItem.ts draws it.

import { l10n } from "vscode";
import { bytes, count, percent, span, steadyPercent, usedOfTotal } from "../window/figures";
import { escaped } from "../window/markdown";
import { paletteCommands } from "../window/paletteCommands";
import type { MemoryStatus, ModelMemory, ServerState, ServerStatus } from "../server/protocol";

export type StatusBarMode = "full" | "compact" | "off";

/** All that this window knows of its server. */
export type ServerView =
  | { kind: "stopped" }
  /** For the first time, or again after a crash. */
  | { kind: "starting"; hasCrashed?: boolean | undefined }
  | { kind: "failed"; message: string }
  /** Runs and has not reported yet. */
  | { kind: "silent" }
  | { kind: "reporting"; status: ServerStatus; progress: Progress | undefined };

/** Work that the server reports on: training. */
export interface Progress {
  title: string;
  /** 0 to 100, undefined while unknown. */
  percentage: number | undefined;
  cancellable: boolean;
}

/** What is short of memory. */
export interface Pressure {
  /** Models take more than they may. */
  models: boolean;
  /** The machine's memory is nearly full. */
  system: boolean;
}

export const noPressure: Pressure = { models: false, system: false };

/** What is short of memory now. `before` keeps it from coming and going with every program that takes a breath. */
export function pressureOf(view: ServerView, before: Pressure): Pressure {
  if (view.kind !== "reporting") {
    return noPressure;
  }

  const { modelsBytes, limitBytes, systemUsedPercent = 0 } = view.status.memory;
  return {
    models: limitBytes < modelsBytes,
    system: (before.system ? leavingPercent : enteringPercent) <= systemUsedPercent,
  };
}

const enteringPercent = 90;
const leavingPercent = 88;

const stateIcons: Record<ServerState, string> = {
  ready: "$(chip)",
  training: "$(sync~spin)",
  loading: "$(loading~spin)",
  degraded: "$(warning)",
  off: "$(circle-slash)",
};

/** The text of the status bar item; empty when there is to be none. */
export function statusText(view: ServerView, mode: StatusBarMode, pressure = noPressure): string {
  if (mode === "off") {
    return "";
  }

  const name = mode === "full" ? " LLM Assist" : "";
  switch (view.kind) {
    case "stopped":
      return `$(circle-slash)${name}`;
    case "starting":
      return `$(loading~spin)${name}`;
    case "failed":
      return `$(error)${name}`;
    case "silent":
      return `$(chip)${name}`;
    case "reporting":
      return reportText(view.status, view.progress, mode, isTight(pressure));
  }
}

/**
 * The tooltip, in Markdown that may call the commands of {@link trustedCommands}. It does not count percents or minutes:
 * the editor draws a tooltip anew when it changes, and a link that is drawn anew cannot be clicked. `now` is in
 * milliseconds, as `Date.now()` tells it.
 */
export function statusTooltip(view: ServerView, now: number, pressure = noPressure, isTrusted = true): string {
  const parts = [`**LLM Assist**: ${[stateInWords(view), ...pressureInWords(pressure)].map(escaped).join(" · ")}`];
  if (view.kind === "reporting") {
    const message = steadyMessage(view.status);
    if (message !== "") {
      parts.push(escaped(message));
    }

    // Before all else: it is why there is no model.
    if (!isTrusted) {
      const note = l10n.t("This workspace is not trusted: nothing is trained on it. Models that you have complete all the same.");
      parts.push(`${escaped(note)} ${markdownLink({ title: l10n.t("Manage Workspace Trust"), target: `command:${manageTrust}` })}`);
    }

    parts.push(memoryTable(view.status.memory, now, pressure));
    parts.push(...(view.status.memory.advice ?? []).map(escaped));
  }

  parts.push(links(view, isTrusted).map(markdownLink).join(" · "));
  return parts.join("\n\n");
}

/** Whether two tooltips say and offer the same but for their figures: then the new one can wait. */
export function differsInFigures(before: string, after: string): boolean {
  const words = (text: string): string => text.replace(/[\d.,\\]+/g, "");
  // Names of models have figures too, which tell one from another.
  const targets = (text: string): string => (text.match(/\(command:[^)]*\)/g) ?? []).join("");
  return words(before) === words(after) && targets(before) === targets(after);
}

/** Whether a training is under way that can be canceled. */
export function isTraining(view: ServerView): boolean {
  return view.kind === "reporting" && view.status.state === "training" && view.progress?.cancellable === true;
}

/** What a screen reader says. */
export function statusLabel(view: ServerView, pressure = noPressure): string {
  const state = `LLM Assist: ${stateInWords(view)}`;
  if (view.kind !== "reporting") {
    return state;
  }

  const { status, progress } = view;
  const { memory } = status;
  const system = systemMemory(memory);
  const sentences = [
    // Training goes on while completions are off; a bare percentage would tell nothing then.
    status.state !== "training" || progress?.percentage === undefined ? state : `${state}, ${percent(progress.percentage)}`,
    ...pressureInWords(pressure).map(capitalized),
    system === undefined ? "" : l10n.t("System memory: {0} of {1} used", bytes(system.used), bytes(system.total)),
    memory.models.length === 1 ? l10n.t("1 model loaded") : l10n.t("{0} models loaded", memory.models.length),
  ];
  return [...sentences, steadyMessage(status).replace(/\.$/, "")].filter((sentence) => sentence !== "").join(". ");
}

/** Which commands the links of the tooltip may call. */
export function trustedCommands(view: ServerView): string[] {
  const own: string[] = [...Object.values(paletteCommands), manageTrust];
  const offered = offeredCommand(view);
  return offered === undefined ? own : [...own, offered.command];
}

// While training the message counts the percents, which the text and the label tell already.
function steadyMessage(status: ServerStatus): string {
  return status.state === "training" ? "" : status.message;
}

function reportText(status: ServerStatus, progress: Progress | undefined, mode: StatusBarMode, isTight: boolean): string {
  const { models } = status.memory;
  const system = systemMemory(status.memory);
  const parts: string[] = [];
  if (status.state === "training" && progress?.percentage !== undefined) {
    parts.push(steadyPercent(progress.percentage));
  } else if (mode === "compact" && (isTight || status.state !== "off") && system !== undefined) {
    parts.push(steadyPercent(system.usedPercent));
  }

  if (mode === "full") {
    parts.push(system === undefined ? "LLM Assist" : usedOfTotal(system.used, system.total));
    if (models.length !== 0) {
      parts.push(String(models.length));
    }
  }

  // What turns says that something goes on, which stays worth knowing.
  const icon = isTight && !status.busy ? "$(warning)" : stateIcons[status.state];
  return [icon, parts.join(" · ")].filter((part) => part !== "").join(" ");
}

function isTight({ models, system }: Pressure): boolean {
  return models || system;
}

function pressureInWords({ models, system }: Pressure): string[] {
  return [
    ...models ? [l10n.t("models take more than their limit")] : [],
    ...system ? [l10n.t("the memory of this machine is nearly full")] : [],
  ];
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toLocaleUpperCase()}${text.slice(1)}`;
}

function stateInWords(view: ServerView): string {
  switch (view.kind) {
    case "stopped":
      return l10n.t("stopped");
    case "starting":
      return view.hasCrashed === true ? l10n.t("ended unexpectedly, and is starting again") : l10n.t("starting");
    case "failed":
      return view.message;
    case "silent":
      return l10n.t("ready");
    case "reporting":
      return reportedStateInWords(view.status.state);
  }
}

function reportedStateInWords(state: ServerState): string {
  switch (state) {
    case "ready":
      return l10n.t("ready");
    case "training":
      return l10n.t("training");
    case "loading":
      return l10n.t("loading a model");
    case "degraded":
      return l10n.t("working with limits");
    case "off":
      return l10n.t("completions are off");
  }
}

function memoryTable(memory: MemoryStatus, now: number, pressure: Pressure): string {
  const system = systemMemory(memory);
  const rows = [
    ...system === undefined ? [] : [[escaped(l10n.t("System memory")), escaped(systemUse(memory)), bar(system.used / system.total, pressure.system)]],
    [
      escaped(l10n.t("Models")),
      escaped(l10n.t("{0} of at most {1}", bytes(memory.modelsBytes), bytes(memory.limitBytes))),
      bar(memory.modelsBytes / memory.limitBytes, pressure.models),
    ],
    ...memory.models.map((model) => [
      escaped(modelLabel(model, memory.models)),
      escaped(modelMemory(model, now)),
      markdownLink({ title: l10n.t("Unload"), target: commandTarget({ command: paletteCommands.unloadModel, arguments: [{ id: model.id }] }) }),
    ]),
  ];
  // The editor leaves hardly a gap between columns.
  return ["| | | |", "|:--|--:|:--|", ...rows.map((cells) => `| ${cells.join(" | &emsp;")} |`)].join("\n");
}

// A picture in colors that stand out from dark and light themes; it ends at the bottom, which lies on the base line of
// the text beside it. That text has the figures, so the picture has no words.
function bar(share: number, isTight: boolean): string {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const rectangle = (length: number, paint: string): string => `<rect y="6" width="${length}" height="8" rx="2" ${paint}/>`;
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="14">${
    rectangle(100, 'fill="#888888" fill-opacity="0.35"')}${rectangle(width, `fill="${isTight ? "#d18616" : "#3a8fd8"}"`)}</svg>`;
  return `![](data:image/svg+xml,${encodeURIComponent(picture)})`;
}

interface SystemMemory {
  used: number;
  total: number;
  /** 0 to 100. */
  usedPercent: number;
}

// All readings or none: half of them tells nothing.
function systemMemory(memory: MemoryStatus): SystemMemory | undefined {
  const { systemTotalBytes: total, systemAvailableBytes: available, systemUsedPercent: usedPercent } = memory;
  return total === undefined || available === undefined || usedPercent === undefined
    ? undefined
    : { used: total - available, total, usedPercent };
}

/** How much memory the system uses, of how much. */
export function systemUse(memory: MemoryStatus): string {
  const system = systemMemory(memory);
  return system === undefined
    ? l10n.t("unknown")
    : l10n.t("{0} of {1} ({2})", bytes(system.used), bytes(system.total), percent(system.usedPercent));
}

/**
 * What a loaded model takes now: of a mapped file also how much it may grow to, of one of Ollama's where it lies and how
 * many tokens it sees. Whether it is pinned: in words, because a screen reader says nothing useful of a drawn pin. And
 * for how long nobody has used it by `now`, if that is given.
 */
export function modelMemory(model: ModelMemory, now?: number): string {
  const parts = [...memoryParts(model), model.pinned ? l10n.t("pinned") : "", now === undefined ? "" : idleTime(model, now)];
  return parts.filter((part) => part !== "").join(" · ");
}

// Less than some minutes is no news: people stop and think.
function idleTime({ busy, lastUsed }: ModelMemory, now: number): string {
  const minutes = (now - Date.parse(lastUsed)) / 60_000;
  return busy || minutes < 10 ? "" : l10n.t("unused for {0}", span(minutes));
}

function memoryParts({ source, bytes: taken, mappedBytes, vramBytes, contextTokens }: ModelMemory): string[] {
  if (source !== "ollama") {
    const whole = bytes(mappedBytes);
    return [mappedBytes === 0 ? bytes(taken)
      : mappedBytes <= taken || bytes(taken) === whole ? l10n.t("{0} in RAM", bytes(taken))
      : l10n.t("{0} of {1} in RAM", bytes(taken), whole)];
  }

  return [
    // A model can lie in the graphics card as a whole.
    taken === 0 && vramBytes !== 0 ? "" : l10n.t("{0} in RAM", bytes(taken)),
    vramBytes === 0 ? "" : l10n.t("{0} in VRAM", bytes(vramBytes)),
    contextTokens === undefined ? "" : l10n.t("{0} tokens of context", count(contextTokens)),
  ];
}

/**
 * `net`, `qwen2.5-coder:1.5b (Ollama)`: the id without its source, which is for programs; and without when it was trained, as the
 * models are named everywhere else, unless there are others of the same name `among` them.
 */
export function modelLabel({ id, source }: Pick<ModelMemory, "id" | "source">, among?: Pick<ModelMemory, "id">[]): string {
  const name = id.startsWith(`${source}:`) ? id.slice(source.length + 1) : id;
  if (source === "ollama") {
    return `${name} (Ollama)`;
  }

  const isOnly = among?.every((other) => other.id === id || withoutStamp(other.id) !== withoutStamp(id)) ?? false;
  return isOnly ? withoutStamp(name) : name;
}

function withoutStamp(name: string): string {
  return name.replace(/_\d{8}_\d{6}$/, "");
}

// The editor's own.
const manageTrust = "workbench.trust.manage";

interface Link {
  title: string;
  target: string;
}

function links(view: ServerView, isTrusted: boolean): Link[] {
  const showLog = { title: l10n.t("Show Log"), target: `command:${paletteCommands.showLog}` };
  const restart = { title: l10n.t("Restart Server"), target: `command:${paletteCommands.restart}` };
  if (view.kind !== "reporting" && view.kind !== "silent") {
    return [restart, showLog];
  }

  const training = isTraining(view) ? [{ title: l10n.t("Cancel Training"), target: `command:${paletteCommands.cancelTraining}` }]
    : isTrusted ? [{ title: l10n.t("Train on Workspace"), target: `command:${paletteCommands.trainWorkspace}` }]
    : [];
  const offered = offeredCommand(view);
  const setLimit = { title: l10n.t("Set Memory Limit"), target: `command:${paletteCommands.setMemoryLimit}` };
  const chooseModel = { title: l10n.t("Choose Models"), target: `command:${paletteCommands.chooseModel}` };
  const explain = { title: l10n.t("Why This Suggestion, or None?"), target: `command:${paletteCommands.explainCompletion}` };
  return [
    ...(offered === undefined ? [] : [{ title: offered.title, target: commandTarget(offered) }]),
    // What helps comes first.
    ...view.kind === "reporting" && view.status.state === "degraded"
      ? [chooseModel, showLog, ...training, setLimit, explain]
      : [...training, chooseModel, setLimit, explain, showLog],
  ];
}

function markdownLink({ title, target }: Link): string {
  return `[${escaped(title)}](${target})`;
}

type OfferedCommand = NonNullable<ServerStatus["command"]>;

function offeredCommand(view: ServerView): OfferedCommand | undefined {
  const command = view.kind === "reporting" ? view.status.command : undefined;
  // The server may offer what this extension contributes, not any command of the editor.
  return command?.command.startsWith("llmAssist.") === true ? command : undefined;
}

function commandTarget(command: Omit<OfferedCommand, "title">): string {
  const target = `command:${command.command}`;
  return command.arguments === undefined
    ? target
    // Parentheses end a Markdown link and survive encodeURIComponent.
    : `${target}?${encodeURIComponent(JSON.stringify(command.arguments)).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;
}
