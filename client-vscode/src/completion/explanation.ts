// Why there is a completion or none, as a page to read: what stands in the way now, and the server's account of the last
// one. Pure.

import { l10n } from "vscode";
import { count, duration, fraction, patience } from "../window/figures";
import { codeBlock, escaped, tableRow } from "../window/markdown";
import type { Explanation } from "../server/protocol";

/**
 * The page in Markdown.
 * @param explanation `null` for "nothing was asked for yet"
 * @param obstacles sentences on what keeps completions away now
 */
export function explanationPage(explanation: Explanation | null, obstacles: string[] = []): string {
  const now = obstacles.length === 0 ? "" : `# ${l10n.t("What stands in the way now")}\n\n${obstacles.map((sentence) => `- ${escaped(sentence)}`).join("\n")}`;
  const title = `# ${l10n.t("The last completion")}`;
  const sections = explanation === null ? [
    now,
    // What stands in the way is reason enough.
    now === "" ? `${title}\n\n${l10n.t("No completion was asked for yet. Type in a file and look again.")}` : "",
  ] : [
    now,
    title,
    facts(explanation),
    shown(explanation),
    ollama(explanation),
    filtered(explanation),
    stages(explanation),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function facts({ uri, surface, lane, accepted }: Explanation): string {
  return table([
    [l10n.t("File"), fileName(uri)],
    [l10n.t("Asked for"), surface === "inline" ? l10n.t("ghost text") : l10n.t("suggestion list")],
    [l10n.t("Answered by"), laneInWords(lane)],
    [l10n.t("Accepted so far"), l10n.t("suggestions: {0}, characters: {1}", count(accepted.suggestions), count(accepted.characters))],
  ]);
}

function laneInWords(lane: Explanation["lane"]): string {
  switch (lane) {
    case "pattern":
      return l10n.t("the pattern model");
    case "ollama":
      return l10n.t("the model of Ollama");
    case "cache":
      return l10n.t("the cache: you typed into an earlier suggestion");
    case "none":
      return l10n.t("nobody");
  }
}

function shown({ items, why }: Explanation): string {
  if (items.length === 0) {
    return `## ${l10n.t("Nothing was shown")}\n\n${why === undefined ? l10n.t("No source had a candidate.") : escaped(why)}`;
  }

  const blocks = items.map(({ text, confidence, lane }) => {
    const from = lane === undefined ? "" : `, ${laneInWords(lane)}`;
    return `${l10n.t("Confidence {0}", fraction(confidence, 1))}${from}\n\n${codeBlock(text)}`;
  });
  return [`## ${l10n.t("Shown")}`, ...blocks].join("\n\n");
}

function ollama({ ollama }: Explanation): string {
  if (ollama === undefined) {
    return "";
  }

  const { model, outcome, why, delayMilliseconds, firstTextMilliseconds, waitedMilliseconds, text, ended } = ollama;
  const wasAsked = outcome !== "unavailable" && outcome !== "declined";
  const rows = [
    ...model === undefined ? [] : [[l10n.t("Model"), model]],
    [l10n.t("Outcome"), outcomeInWords(outcome)],
    ...wasAsked ? [
      [l10n.t("Asked after a pause of"), patience(delayMilliseconds)],
      [l10n.t("First text after"), firstTextMilliseconds === undefined ? l10n.t("none had come") : patience(firstTextMilliseconds)],
      [l10n.t("Waited for it"), patience(waitedMilliseconds)],
    ] : [],
    ...ended === undefined ? [] : [[l10n.t("Ended"), endInWords(ended)]],
  ];
  const parts = [
    "## Ollama",
    table(rows),
    why === undefined ? "" : escaped(why),
    text === undefined ? "" : `${l10n.t("It had produced:")}\n\n${codeBlock(text)}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function filtered({ filtered }: Explanation): string {
  if (filtered.length === 0) {
    return "";
  }

  const blocks = filtered.map(({ filter, text }) => `**${escaped(filterInWords(filter))}**\n\n${codeBlock(text)}`);
  return [`## ${l10n.t("Filtered out")}`, ...blocks].join("\n\n");
}

function stages({ stages }: Explanation): string {
  if (stages.length === 0) {
    return "";
  }

  const total = stages.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const rows = stages.map(({ stage, microseconds }) => [stageInWords(stage), duration(microseconds)]);
  return `## ${l10n.t("Time")}\n\n${table([...rows, [l10n.t("Total"), duration(total)]])}`;
}

// A server newer than this client may know more names; those are shown as they are.
function outcomeInWords(outcome: string): string {
  switch (outcome) {
    case "answered":
      return l10n.t("answered in time");
    case "joined":
      return l10n.t("answered from what it was already writing for an earlier request");
    case "late":
      return l10n.t("was still writing when waiting for it ended");
    case "unavailable":
      return l10n.t("could not be asked");
    case "failed":
      return l10n.t("failed");
    case "declined":
      return l10n.t("was not asked");
    case "superseded":
      return l10n.t("was given up for a newer request");
    default:
      return outcome;
  }
}

function endInWords(end: string): string {
  switch (end) {
    case "stopToken":
      return l10n.t("by itself");
    case "singleLine":
      return l10n.t("with the line, since text follows the cursor");
    case "lineCount":
      return l10n.t("with as many lines as were asked for");
    case "suffix":
      return l10n.t("where it repeated what stands below");
    case "bracket":
      return l10n.t("where it closed a bracket that is not its own");
    case "repetition":
      return l10n.t("where it went in circles");
    case "scope":
      return l10n.t("where it left the block");
    default:
      return end;
  }
}

function filterInWords(filter: string): string {
  switch (filter) {
    case "midLine":
      return l10n.t("does not fit before the rest of the line");
    case "scope":
      return l10n.t("leaves the block it stands in");
    case "repetition":
      return l10n.t("repeats itself");
    case "lineAbove":
      return l10n.t("repeats the line above");
    case "linesBelow":
      return l10n.t("repeats the lines below");
    case "brackets":
      return l10n.t("repeats a closing bracket after the cursor");
    case "duplicateSuffix":
      return l10n.t("repeats what stands after the cursor");
    case "tooShort":
      return l10n.t("too short to be worth showing");
    default:
      return filter;
  }
}

function stageInWords(stage: string): string {
  switch (stage) {
    case "cache":
      return l10n.t("look into the cache");
    case "context":
      return l10n.t("read the surroundings");
    case "words":
      return l10n.t("predict words");
    case "predict":
      return l10n.t("predict the line");
    case "ollama":
      return l10n.t("wait for Ollama");
    case "filter":
      return l10n.t("filter");
    case "judge":
      return l10n.t("compare with your code");
    default:
      return stage;
  }
}

function table(rows: string[][]): string {
  return ["| | |", "|:--|:--|", ...rows.map(tableRow)].join("\n");
}

function fileName(uri: string): string {
  const last = uri.slice(uri.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    // A stray percent sign: the name as the server wrote it says enough.
    return last;
  }
}
