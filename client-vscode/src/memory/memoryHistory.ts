// What happened to the memory of models in the last hours, as a page to read. Pure. Draws nothing: numbers and sentences.

import { l10n } from "vscode";
import { bytes, count, moment } from "../window/figures";
import { escaped, tableRow } from "../window/markdown";
import type { MemoryEvent, MemoryHistory, MemorySample } from "../server/protocol";
import { modelLabel } from "../status/status";

/** The page in Markdown. `hours` is how far back the history was asked for. */
export function memoryHistoryPage(history: MemoryHistory, hours: number): string {
  const sections = [
    `# ${l10n.t("Memory of the last {0} hours", count(hours))}`,
    escaped(summary(history)),
    events(history.events),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function summary({ samples, events }: MemoryHistory): string {
  const sentences = [kinds(events), most(samples), least(samples)].filter((sentence) => sentence !== "");
  return sentences.length === 0 ? l10n.t("Nothing was loaded or unloaded, and memory was not looked at.") : sentences.join(" ");
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

function events(events: MemoryEvent[]): string {
  if (events.length === 0) {
    return "";
  }

  const heading = [l10n.t("When"), l10n.t("What"), l10n.t("Model"), l10n.t("Size"), l10n.t("Why")];
  // The latest is what the user has just seen happen.
  const latestFirst = [...events].sort((left, right) => Date.parse(right.at) - Date.parse(left.at));
  const rows = latestFirst.map(({ at, kind, id, bytes: size, reason }) => [
    moment(at),
    kindInWords(kind),
    modelLabel({ id, source: id.slice(0, Math.max(0, id.indexOf(":"))) }),
    size === 0 ? "" : bytes(size),
    reason,
  ]);
  return [tableRow(heading), "|:--|:--|:--|--:|:--|", ...rows.map(tableRow)].join("\n");
}

// A server newer than this client may know more kinds; those are shown as they are.
function kindInWords(kind: string): string {
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
