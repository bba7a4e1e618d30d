// Stands in for the `vscode` module where the editor is not: the language of the user, and texts in it; windows are in
// editor.ts. What the tested files need and no more.

import { readFileSync } from "node:fs";
import * as path from "node:path";

export * from "./editor";

/** Where the extension lies, seen from the bundled tests in out/test. */
export const root = path.resolve(__dirname, "../..");

let translations: Record<string, string> = {};

export const env = { language: "en" };

export const l10n = {
  bundle: {},
  t(message: string, ...values: (string | number | boolean)[]): string {
    return (translations[message] ?? message).replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)]));
  },
};

/** Runs `body` for a user of `language`. */
export function speaking<T>(language: "en" | "es", body: () => T): T {
  env.language = language;
  translations = language === "en" ? {} : readTranslations(language);
  try {
    return body();
  } finally {
    env.language = "en";
    translations = {};
  }
}

function readTranslations(language: string): Record<string, string> {
  return JSON.parse(readFileSync(path.join(root, `l10n/bundle.l10n.${language}.json`), "utf8")) as Record<string, string>;
}
