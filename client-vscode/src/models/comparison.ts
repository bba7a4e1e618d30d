// Two models measured on the same code, as a page to read. Pure.

import { l10n } from "vscode";
import type { Comparison, Evaluation, PatternModel } from "../server/protocol";
import { bytes, count, decimals, duration, fraction, moment } from "../window/figures";
import { escaped, tableRow } from "../window/markdown";
import { isWithin } from "./folders";

type Named = Pick<PatternModel, "name" | "createdAt">;
type Trained = Named & Pick<PatternModel, "folders">;

/** The page in Markdown. */
export function comparisonPage(first: Trained, second: Trained, folder: string, { a, b }: Comparison): string {
  const labels = distinctLabels(first, second);
  const sections = [
    `# ${escaped(l10n.t("“{0}” and “{1}”", ...labels))}`,
    escaped(verdict(labels, a, b)),
    escaped([
      l10n.t("“{0}” is of {1}, “{2}” of {3}.", labels[0], moment(first.createdAt), labels[1], moment(second.createdAt)),
      l10n.t("Both have predicted the code in {0}, {1} symbols of it.", folder, count(a.tokens)),
      caution(labels, isWithin(folder, first.folders), isWithin(folder, second.folders)),
    ].join(" ").trim()),
    table(l10n.t("What was measured"), labels, rows(a, b)),
    languages(labels, a, b),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/** What to call two models so that they can be told apart, in a word or two: columns and cells begin with it. */
export function distinctLabels(first: Named, second: Named): [string, string] {
  if (first.name !== second.name) {
    return [first.name, second.name];
  }

  const newer = l10n.t("{0} (newer)", first.name);
  const older = l10n.t("{0} (older)", first.name);
  return Date.parse(second.createdAt) < Date.parse(first.createdAt) ? [newer, older] : [older, newer];
}

interface Row {
  label: string;
  figures: [number, number];
  show: (figure: number) => string;
  better: "more" | "less";
  /** The share by which figures differ that mean the same. */
  tolerance: number;
}

// The one figure that a person who types feels.
function verdict([first, second]: [string, string], a: Evaluation, b: Evaluation): string {
  const saved: [string, string] = [share(a.keystrokes.saved), share(b.keystrokes.saved)];
  if (saved[0] === saved[1]) {
    return l10n.t("Both would have saved about as many keystrokes: {0}.", saved[0]);
  }

  return a.keystrokes.saved < b.keystrokes.saved
    ? l10n.t("“{0}” is better here: it would have saved {1} of the keystrokes, “{2}” {3}.", second, saved[1], first, saved[0])
    : l10n.t("“{0}” is better here: it would have saved {1} of the keystrokes, “{2}” {3}.", first, saved[0], second, saved[1]);
}

// Who has seen the answers.
function caution([first, second]: [string, string], firstKnows: boolean, secondKnows: boolean): string {
  if (firstKnows && secondKnows) {
    return l10n.t("Both have learned from this folder, and look better than they would on new code.");
  }

  const unfair = (knowing: string, other: string): string =>
    l10n.t("“{0}” has learned from this folder and “{1}” has not: that alone makes it look better.", knowing, other);
  return firstKnows ? unfair(first, second) : secondKnows ? unfair(second, first) : "";
}

function rows(a: Evaluation, b: Evaluation): Row[] {
  const row = (label: string, figure: (of: Evaluation) => number, show = share, better: Row["better"] = "more", tolerance = 0): Row =>
    ({ label, figures: [figure(a), figure(b)], show, better, tolerance });
  return [
    row(l10n.t("Keystrokes saved"), ({ keystrokes }) => keystrokes.saved),
    row(l10n.t("Suggestions that were right"), ({ keystrokes }) => keystrokes.precision),
    row(l10n.t("Next symbol right at the first guess"), ({ top1 }) => top1),
    row(l10n.t("Next symbol among the first five guesses"), ({ top5 }) => top5),
    row(l10n.t("Names right at the first guess"), ({ identifier }) => identifier.top1),
    row(l10n.t("Names right after their first letter"), ({ word }) => word.top1),
    row(l10n.t("Rest of the line entirely right"), ({ line }) => line.exact),
    row(l10n.t("Surprise at each symbol, in bits"), ({ bitsPerToken }) => bitsPerToken, (figure) => decimals(figure, 2), "less"),
    row(l10n.t("Time for a line"), ({ speed }) => speed.lineMicroseconds.p50, duration, "less", noise),
    row(l10n.t("Size on disk"), ({ size }) => size.modelBytes, bytes, "less"),
  ];
}

// Times differ by as much between two measurements of one model.
const noise = 0.15;

function languages(labels: [string, string], a: Evaluation, b: Evaluation): string {
  const shared = a.perLanguage.flatMap(({ language, top1 }): Row[] => {
    const other = b.perLanguage.find((entry) => entry.language === language);
    return other === undefined ? [] : [{ label: language, figures: [top1, other.top1], show: share, better: "more", tolerance: 0 }];
  });
  // One language says what the table above has said.
  return shared.length < 2 ? "" : [
    `## ${l10n.t("By language")}`,
    l10n.t("How often the next symbol was right at the first guess."),
    table(l10n.t("Language"), labels, shared),
  ].join("\n\n");
}

function table(subject: string, labels: [string, string], rows: Row[]): string {
  return [
    tableRow([subject, ...labels, l10n.t("Better")]),
    "|:--|--:|--:|:--|",
    ...rows.map((row) => tableRow([row.label, ...row.figures.map((figure) => row.show(figure)), better(row, labels)])),
  ].join("\n");
}

// By what is printed: nobody sees a difference that the figures do not show.
function better({ figures: [a, b], show, better: wanted, tolerance }: Row, [first, second]: [string, string]): string {
  if (show(a) === show(b) || Math.abs(a - b) <= tolerance * Math.max(a, b)) {
    return l10n.t("equal");
  }

  return (a < b) === (wanted === "less") ? first : second;
}

function share(figure: number): string {
  return fraction(figure, 1, 1);
}
