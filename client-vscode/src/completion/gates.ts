// Why the server is not even asked, in words. Pure; surfaces.ts looks at the editor.

import { l10n } from "vscode";
import { timeOfDay } from "../window/figures";

/** `inline` is ghost text, `list` the suggestion list. */
export type Surface = "inline" | "list";

/** What decides whether completions are asked for at a place. */
export interface Situation {
  snoozedUntil: Date | undefined;
  /** The setting `completion.source`. */
  source: string;
  /** The editor's identifier. */
  language: string;
  /** Whether the setting `completion.languages` lets the language have completions. */
  servesLanguage: boolean;
  /** The settings `completion.inline` and `completion.list`, as they are for the language. */
  shows: Record<Surface, boolean>;
  cursors: number;
}

/** What keeps a surface from being filled; undefined if nothing does. */
export function closedGate(surface: Surface, situation: Situation): string | undefined {
  const { snoozedUntil, source, language, servesLanguage, shows, cursors } = situation;
  if (snoozedUntil !== undefined) {
    return l10n.t("Suggestions are snoozed until {0}. The command “End Snooze” brings them back at once.", timeOfDay(snoozedUntil.getTime()));
  }

  if (source === "off") {
    return l10n.t("Completions are switched off: the setting {0} is “{1}”.", "llmAssist.completion.source", source);
  }

  if (!servesLanguage) {
    return l10n.t("Completions are switched off for {0}, by the setting {1}.", language, "llmAssist.completion.languages");
  }

  if (!shows[surface]) {
    return surface === "inline"
      ? l10n.t("Ghost text is switched off here, by the setting {0}.", "llmAssist.completion.inline")
      : l10n.t("Entries in the suggestion list are switched off here, by the setting {0}.", "llmAssist.completion.list");
  }

  // What fits at one cursor seldom fits at the others, and would be written at all of them.
  return surface === "inline" && 1 < cursors
    ? l10n.t("There are {0} cursors; ghost text is for one.", cursors)
    : undefined;
}

/** What the editor and this window are like, around the place where the user writes. */
export interface Surroundings {
  /** Whether the server runs. */
  isRunning: boolean;
  /** Whether the editor draws ghost text at all. */
  drawsGhostText: boolean;
  isTrusted: boolean;
  /** Missing where no text editor has the focus, `unserved` for a document that is no file. */
  place: Situation | "unserved" | undefined;
}

/** Everything that keeps completions away now, or some of them. */
export function obstacles({ isRunning, drawsGhostText, isTrusted, place }: Surroundings): string[] {
  const here = place === undefined || place === "unserved" ? [] : [closedGate("inline", place), closedGate("list", place)];
  const sentences = [
    isRunning ? undefined : l10n.t("The LLM Assist server is not running. Restart it, or look into the log for the reason."),
    place === "unserved" ? l10n.t("The text in front is no file: completions are for files, saved or new.") : undefined,
    ...here,
    drawsGhostText ? undefined : l10n.t("The editor draws no ghost text: its setting {0} is off.", "editor.inlineSuggest.enabled"),
    isTrusted ? undefined : l10n.t("This workspace is not trusted: nothing is trained on it. Models that you have complete all the same."),
  ];
  // Both surfaces may be closed by one and the same gate.
  return [...new Set(sentences.filter((sentence) => sentence !== undefined))];
}
