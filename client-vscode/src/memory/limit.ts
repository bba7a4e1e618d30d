// The limits that models may be given to choose from, and the number that a person types instead. Pure.

import { l10n } from "vscode";
import { gigabyte, plainNumber } from "../window/figures";
import type { LimitPreset, MemoryReport } from "../server/protocol";

export interface LimitRow {
  label: string;
  description: string;
  detail: string;
  isCurrent: boolean;
  /** As the setting has it; undefined where a number is to be typed. */
  limit: string | undefined;
}

/** The named limits and, last, the way to type one. */
export function limitRows({ limitBytes, presets }: Pick<MemoryReport, "limitBytes" | "presets">): LimitRow[] {
  const isNamed = presets.some((preset) => preset.limitBytes === limitBytes);
  return [
    ...presets.map((preset) => ({
      label: nameInWords(preset.name),
      description: inGigabytes(preset.limitBytes),
      detail: madeFor(preset),
      isCurrent: preset.limitBytes === limitBytes,
      limit: preset.name,
    })),
    {
      label: l10n.t("A number of gigabytes…"),
      description: isNamed ? "" : inGigabytes(limitBytes),
      detail: "",
      isCurrent: !isNamed,
      limit: undefined,
    },
  ];
}

/** What stands in the box at first: the limit of now. */
export function typedLimit(limitBytes: number): string {
  return plainNumber(limitBytes / gigabyte);
}

/** The gigabytes that were typed, with a point or a comma as in either language; undefined if they are no limit. */
export function limitIn(typed: string): number | undefined {
  const [, digits] = /^\s*(\d+(?:[.,]\d+)?|[.,]\d+)\s*(?:GB)?\s*$/i.exec(typed) ?? [];
  const value = Number(digits?.replace(",", "."));
  return 0 < value && value <= mostGigabytes ? value : undefined;
}

/** Why what was typed is no limit; undefined if it is one. */
export function limitProblem(typed: string): string | undefined {
  return limitIn(typed) === undefined
    ? l10n.t("“{0}” is no limit; expected is a number of gigabytes above 0 and up to {1}, such as {2}.", typed.trim(), plainNumber(mostGigabytes), plainNumber(7.5))
    : undefined;
}

// As the manifest has it.
const mostGigabytes = 4096;

function madeFor({ machineBytes, suits }: LimitPreset): string {
  const machines = l10n.t("for machines with {0} of memory", inGigabytes(machineBytes));
  return suits ? `${machines} · ${l10n.t("recommended for this one")}` : machines;
}

/** `6 GB`, `5.5 GB`: limits are round numbers, and look like it. */
export function inGigabytes(count: number): string {
  return `${plainNumber(count / gigabyte)} GB`;
}

// A server newer than this client may know more names; those are shown as they are.
function nameInWords(name: string): string {
  switch (name) {
    case "low":
      return l10n.t("Low");
    case "medium":
      return l10n.t("Medium");
    case "high":
      return l10n.t("High");
    case "veryHigh":
      return l10n.t("Very High");
    default:
      return name;
  }
}
