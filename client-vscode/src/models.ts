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
    model.current ? l10n.t("in use") : "",
    model.loaded ? l10n.t("loaded") : "",
    bytes(model.sizeBytes),
  ];
  return {
    label: `${model.current ? "$(check)" : model.loaded ? "$(circle-filled)" : "$(circle-outline)"} ${model.name}`,
    description: states.filter((state) => state !== "").join(" · "),
    detail: [
      l10n.t("{0} patterns", count(model.patternsStored)),
      moment(model.modifiedAt),
      model.folders.join(", "),
    ].filter((part) => part !== "").join(" · "),
  };
}

/** What the server said, with its figures. */
export function modelMessage({ message, modelStats }: ModelAnswer): string {
  if (modelStats === undefined || modelStats === null) {
    return message;
  }

  const { patternsStored, memoryKb, sparsity } = modelStats;
  const figures = l10n.t(
    "{0} patterns, {1} in memory, sparsity {2}.",
    count(patternsStored),
    bytes(memoryKb * 1024),
    fraction(sparsity),
  );
  return `${message} ${figures}`;
}
