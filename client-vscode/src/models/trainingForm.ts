// What is asked before a training: how a model may be called, and what a name means. Pure.

import { l10n } from "vscode";
import type { ListedModel, PatternModel } from "../server/protocol";
import { isAmong } from "./folders";

export interface TrainingForm {
  /** Absolute paths, at least one. */
  folders: string[];
  /** Empty for having the server name it after the folder. */
  name: string;
  /** May be empty. */
  note: string;
}

/** The name in which the server makes a file: of a folder called `my shop` it is `my-shop`. */
export function safeName(text: string): string {
  // By UTF-16 units, as the server does: the halves of a pair are no letters.
  const units = text.slice(0, longestName).split("").map((unit) => /[\p{L}\p{Nd}._-]/u.test(unit) ? unit : "-");
  return units.join("").replace(/^[.-]+|[.-]+$/g, "");
}

/** What the model is called if no name is given, as far as can be told before. */
export function nameAfter(folder: string): string {
  return safeName(/[^\\/]*$/.exec(folder.replace(/[\\/]+$/, ""))?.[0] ?? "");
}

export interface NameRemark {
  text: string;
  /** Whether a model cannot be called so. */
  isError: boolean;
}

/** What there is to say about a name while it is typed; undefined if nothing. */
export function nameRemark(typed: string, folders: string[], models: ListedModel[]): NameRemark | undefined {
  const name = typed.trim();
  if (name === "") {
    return undefined;
  }

  if (longestName < name.length) {
    return { text: l10n.t("The name has {0} characters; expected are at most {1}.", name.length, longestName), isError: true };
  }

  if (safeName(name) !== name) {
    return {
      text: l10n.t("“{0}” cannot be the name of a model: expected are letters, digits, “.”, “-” and “_”, without “.” or “-” at the beginning or end.", name),
      isError: true,
    };
  }

  const sameName = models.find((model): model is PatternModel => model.source === "pattern" && model.name === name && model.current);
  if (sameName === undefined) {
    return undefined;
  }

  const isOfThese = folders.some((folder) => isAmong(folder, sameName.folders));
  return {
    text: isOfThese
      ? l10n.t("The new model takes the place of “{0}”, which stays on disk as an older version.", name)
      : l10n.t("“{0}” was trained on other code: {1}. It would become an older version of the new model.", name, sameName.folders.join(", ")),
    isError: false,
  };
}

// The server's limit.
const longestName = 64;
