// What is said of the memory of models in the last hours. Pure. Draws nothing: that is for historyPlot.ts.

import { l10n } from "vscode";
import type { MemoryEvent, MemoryHistory, MemorySample } from "../server/protocol";
import { modelLabel } from "../status/status";
import { bytes, count } from "../window/figures";

/** The sentences that tell the most of a history; empty if there is none. */
export function summary({ samples, events }: MemoryHistory): string {
  return [kinds(events), most(samples), least(samples)].filter((sentence) => sentence !== "").join(" ");
}

function kinds(events: MemoryEvent[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of events) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }

  const parts = [...counts].map(([kind, times]) => `${count(times)} × ${kindInWords(kind)}`);
  return parts.length === 0 ? "" : l10n.t("What happened: {0}.", parts.join(", "));
}

// Against the limit of that moment: it may have been another one before.
function most(samples: MemorySample[]): string {
  const sums = samples.map(({ models, limitBytes }) => ({ limitBytes, taken: models.reduce((sum, model) => sum + model.bytes, 0) }));
  const [first, ...others] = sums;
  if (first === undefined) {
    return "";
  }

  const { taken, limitBytes } = others.reduce((top, next) => top.taken < next.taken ? next : top, first);
  return l10n.t("Models took {0} at the most, when they were allowed {1}.", bytes(taken), bytes(limitBytes));
}

function least(samples: MemorySample[]): string {
  const left = samples.flatMap(({ availableBytes }) => availableBytes === undefined ? [] : [availableBytes]);
  return left.length === 0 ? "" : l10n.t("The machine had {0} left at the least.", bytes(left.reduce((low, next) => Math.min(low, next))));
}

/** A model's name for the user, from its id. */
export function modelName(id: string): string {
  return modelLabel({ id, source: id.slice(0, Math.max(0, id.indexOf(":"))) });
}

/** What an event's kind means. One that only a newer server knows is shown as it is. */
export function kindInWords(kind: string): string {
  switch (kind) {
    case "load":
      return l10n.t("loaded");
    case "unload":
      return l10n.t("unloaded");
    case "evict":
      return l10n.t("unloaded to make room");
    case "refuse":
      return l10n.t("not let in");
    case "expire":
      return l10n.t("left by itself");
    case "crash":
      return l10n.t("crashed");
    default:
      return kind;
  }
}
