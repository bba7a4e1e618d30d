// How a model on disk reads in a list to pick from. Pure.

import { l10n } from "vscode";
import { bytes, count, fraction, moment } from "./figures";
import type { ModelAnswer, ModelEntry } from "./protocol";

export interface ModelLines {
  label: string;
  description: string;
  detail: string;
}

export function modelLines(model: ModelEntry): ModelLines {
  const states = [
    moment(model.createdAt),
    model.current ? "" : l10n.t("older version"),
    model.loaded ? l10n.t("in use") : "",
  ];
  const facts = [
    bytes(model.sizeBytes),
    l10n.t("{0} patterns", count(model.patternsStored)),
    model.folders.join(", "),
  ];
  return { label: model.name, description: joined(states), detail: joined(facts) };
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

function joined(parts: string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}
