// How a model reads in a list to pick from, and what can be done with it. Pure.

import { l10n } from "vscode";
import { bytes, count, fraction, moment } from "../window/figures";
import type { ListedModel, ModelAnswer, OllamaModel, PatternModel } from "../server/protocol";

export interface ModelLines {
  label: string;
  description: string;
  detail: string;
}

export function modelLines(model: ListedModel): ModelLines {
  return model.source === "ollama" ? ollamaLines(model) : patternLines(model);
}

/** Whether code can be completed from it: Ollama also has models that only measure texts. */
export function completes(model: ListedModel): boolean {
  // Older versions of Ollama do not tell.
  return model.source === "pattern"
    || model.capabilities === undefined
    || model.capabilities.length === 0
    || model.capabilities.includes("completion");
}

/**
 * The models in the order in which they are worth a look: pattern models as they come, then Ollama's by what their memory
 * costs. Those that take some already, the one in use first; the best that fits now; those that others must leave for;
 * those that do not fit. In between are those of which nothing is known, and last those that need no memory of this
 * machine and have code sent elsewhere, and those that cannot complete code.
 */
export function byFit(models: ListedModel[]): ListedModel[] {
  const ollama = models.filter((model) => model.source === "ollama");
  return [...models.filter(({ source }) => source !== "ollama"), ...ollama.sort(compareFit)];
}

/** Where a model of the cloud runs, as people write it: `ollama.com` for `https://ollama.com:443`. */
export function hostName(remoteHost: string): string {
  try {
    // Without a scheme the name stands as it is; the default port is left out.
    return remoteHost.includes("://") ? new URL(remoteHost).host : remoteHost;
  } catch {
    return remoteHost;
  }
}

/** What the server said, with its figures. */
export function modelMessage({ message, modelStats }: ModelAnswer): string {
  if (modelStats === undefined) {
    return message;
  }

  const { patternsStored, memoryKb, sparsity } = modelStats;
  const figures = l10n.t(
    "{0} patterns, {1} in memory, sparsity {2}.",
    count(patternsStored),
    bytes(memoryKb * 1024),
    // So near one that fewer decimals would say 100%.
    fraction(sparsity, 3),
  );
  return `${message} ${figures}`;
}

function patternLines(model: PatternModel): ModelLines {
  const states = [
    moment(model.createdAt),
    model.current ? "" : l10n.t("older version"),
    model.loaded ? l10n.t("in use") : "",
    model.pinned ? l10n.t("pinned") : "",
  ];
  const facts = [
    bytes(model.sizeBytes),
    l10n.t("{0} patterns", count(model.patternsStored)),
    model.folders.join(", "),
  ];
  return { label: model.name, description: joined(states), detail: joined(facts) };
}

function ollamaLines(model: OllamaModel): ModelLines {
  const { remoteHost, parameterSize = "", quantization = "", contextTokens } = model;
  const states = [
    model.current ? l10n.t("in use") : "",
    model.pinned ? l10n.t("pinned") : "",
    remoteHost === undefined ? "" : l10n.t("your code is sent to {0}", hostName(remoteHost)),
    model.loaded && remoteHost === undefined ? l10n.t("in memory: {0}", bytes(model.memoryKb * 1024)) : "",
    contextTokens === undefined ? "" : l10n.t("{0} tokens of context", count(contextTokens)),
    ...model.loaded ? [] : prospects(model),
  ];
  const facts = [
    // First, since the list cuts off the end: what matters most for completing code.
    middle(model),
    // Of a model that runs elsewhere only its name lies on the disk.
    remoteHost === undefined ? l10n.t("{0} on disk", bytes(model.sizeBytes)) : "",
    parameterSize === "" ? "" : l10n.t("{0} parameters", parameterSize),
    quantization,
  ];
  return { label: model.name, description: joined(states), detail: joined(facts) };
}

// What would be if it were loaded.
function prospects({ fit, predictedBytes, fitContextTokens, fitEvicts = [] }: OllamaModel): string[] {
  const size = predictedBytes === undefined ? "" : bytes(predictedBytes);
  const context = fitContextTokens === undefined ? "" : l10n.t("{0} tokens of context", count(fitContextTokens));
  switch (fit) {
    case "now":
      return [size === "" ? l10n.t("fits now") : l10n.t("fits now: {0}", size), context];
    case "afterEvicting":
      return [
        fitEvicts.length === 0 ? l10n.t("fits after unloading others") : l10n.t("fits after unloading {0}", fitEvicts.map(nameOf).join(", ")),
        size === "" ? "" : l10n.t("takes {0}", size),
        context,
      ];
    case "no":
      // The context that it would have matters to nobody.
      return [size === "" ? l10n.t("does not fit") : l10n.t("does not fit: takes {0}", size)];
    case undefined:
    default:
      return [size === "" ? "" : l10n.t("takes {0}", size), context];
  }
}

/** The id as people call the model: without its source, which is for programs. */
export function nameOf(id: string): string {
  return id.replace(/^(ollama|pattern):/, "");
}

const ranks = ["inUse", "loaded", "now", "unknown", "afterEvicting", "no", "elsewhere", "useless"] as const;

function compareFit(left: OllamaModel, right: OllamaModel): number {
  const rank = fitRank(left);
  if (rank !== fitRank(right)) {
    return ranks.indexOf(rank) - ranks.indexOf(fitRank(right));
  }

  if (rank === "unknown" || rank === "elsewhere" || rank === "useless") {
    // As the server lists them.
    return 0;
  }

  const larger = memoryOf(right) - memoryOf(left);
  if (rank === "no") {
    // The smallest is the nearest to fitting.
    return -larger;
  }

  // The larger model is the better one, but not if it cannot see what stands after the cursor.
  return (left.fitEvicts?.length ?? 0) - (right.fitEvicts?.length ?? 0)
    || Number(right.fillsMiddle ?? false) - Number(left.fillsMiddle ?? false)
    || larger;
}

function fitRank(model: OllamaModel): typeof ranks[number] {
  const { current, loaded, remoteHost, fit } = model;
  if (current) {
    return "inUse";
  }

  if (remoteHost !== undefined) {
    return "elsewhere";
  }

  if (loaded) {
    return "loaded";
  }

  if (!completes(model)) {
    return "useless";
  }

  // What only a newer server says is nothing that is known here.
  return fit === "now" || fit === "afterEvicting" || fit === "no" ? fit : "unknown";
}

function memoryOf({ predictedBytes, sizeBytes }: OllamaModel): number {
  return predictedBytes ?? sizeBytes;
}

function middle(model: OllamaModel): string {
  if (!completes(model)) {
    return l10n.t("does not complete");
  }

  if (model.fillsMiddle === undefined) {
    return "";
  }

  return model.fillsMiddle ? l10n.t("fills in the middle") : l10n.t("does not fill in the middle");
}

function joined(parts: string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}
