// What the palette offers about completions: on and off, for a while or for good, and why there is none.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";
import type { Explanation } from "../server/protocol";
import { timeOfDay } from "../window/figures";
import type { Pages } from "../window/pages";
import { say } from "../window/tell";
import { UserError } from "../window/userError";
import { explanationPage } from "./explanation";
import { obstacles, type Surroundings } from "./gates";
import type { Snooze } from "./snooze";
import { documentSelector, type Surfaces } from "./surfaces";
import { languageWrite, serves, sourceOff, sourceOn, type Languages, type Layers, type Write } from "./switches";

/** What is kept between sessions. */
export type Memory = Pick<vscode.ExtensionContext, "globalState" | "workspaceState">;

/** Says what stands in the way of completions now, and what happened at the last one. */
export async function explainCompletion(server: ServerConnection, surfaces: Surfaces, pages: Pages): Promise<void> {
  const isRunning = server.view.kind === "reporting" || server.view.kind === "silent";
  const surroundings: Surroundings = {
    isRunning,
    drawsGhostText: vscode.workspace.getConfiguration("editor").get("inlineSuggest.enabled", true),
    isTrusted: vscode.workspace.isTrusted,
    place: place(surfaces),
  };
  const explanation: Explanation | null = isRunning ? await server.request("llmAssist.completion.explain", {}) : null;
  await pages.show("completion", explanationPage(explanation, obstacles(surroundings)));
}

/** Turns completions on or off for the language in front. */
export async function toggleLanguage(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) {
    throw new UserError(vscode.l10n.t("No file is in front, so that there is no language to turn completions on or off for. Open one first."));
  }

  const language = document.languageId;
  const setting = "llmAssist.completion.languages";
  const settings = vscode.workspace.getConfiguration();
  const isServed = !serves(settings.get<Languages>(setting, {}), language);
  const layers: Layers<Languages> = settings.inspect<Languages>(setting) ?? {};
  await keep(setting, languageWrite(layers, language, isServed));
  say(isServed
    ? vscode.l10n.t("Completions are on for {0}.", language)
    : vscode.l10n.t("Completions are off for {0}.", language));
}

/** Turns completions off altogether, or on as they were before. */
export async function toggleCompletions(extension: Memory): Promise<void> {
  const setting = "llmAssist.completion.source";
  const settings = vscode.workspace.getConfiguration();
  const layers: Layers<string> = settings.inspect<string>(setting) ?? {};
  // What was off for one workspace is of no use to another.
  const memory = layers.workspaceValue === undefined ? extension.globalState : extension.workspaceState;
  const isOff = settings.get(setting) === "off";
  if (isOff) {
    await keep(setting, sourceOn(layers, memory.get<string>(sourceBefore)));
    await memory.update(sourceBefore, undefined);
  } else {
    await memory.update(sourceBefore, layers.workspaceValue ?? layers.globalValue);
    await keep(setting, sourceOff(layers));
  }

  say(isOff ? vscode.l10n.t("Completions are on.") : vscode.l10n.t("Completions are off."));
}

/** Holds suggestions back for as long as the user says. */
export async function snoozeSuggestions(snooze: Snooze): Promise<void> {
  const rows = [5, 15, 30, 60].map((minutes) => ({ label: vscode.l10n.t("{0} minutes", minutes), minutes }));
  const row = await vscode.window.showQuickPick(rows, {
    title: vscode.l10n.t("Snooze Suggestions"),
    placeHolder: vscode.l10n.t("No ghost text and no list entries from LLM Assist in this window, for"),
  });
  if (row === undefined) {
    return;
  }

  snooze.start(row.minutes);
  // What is on the screen already is meant too.
  await vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
  if (snooze.until !== undefined) {
    say(vscode.l10n.t("Suggestions are snoozed until {0}.", timeOfDay(snooze.until.getTime())));
  }
}

/** Offers, once on this machine, to have the editor draw ghost text where it does not. */
export async function offerGhostText({ globalState: memory }: Memory): Promise<void> {
  const settings = vscode.workspace.getConfiguration();
  const isWanted = settings.get("llmAssist.completion.inline", true) && settings.get("llmAssist.completion.source") !== "off";
  if (!isWanted || settings.get("editor.inlineSuggest.enabled", true) || memory.get(ghostTextOffered, false)) {
    return;
  }

  // Before the answer: a question that is overlooked is not asked again either.
  await memory.update(ghostTextOffered, true);
  const turnOn = vscode.l10n.t("Turn On");
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t("LLM Assist shows most completions as ghost text, which the editor’s setting editor.inlineSuggest.enabled turns off. Turn it on?"),
    turnOn,
    vscode.l10n.t("Not Now"),
  );
  if (choice === turnOn) {
    await settings.update("editor.inlineSuggest.enabled", true, vscode.ConfigurationTarget.Global);
  }
}

const sourceBefore = "completion.source.before";
const ghostTextOffered = "ghostText.offered";

function place(surfaces: Surfaces): Surroundings["place"] {
  const document = vscode.window.activeTextEditor?.document;
  return document === undefined ? undefined
    : vscode.languages.match(documentSelector, document) === 0 ? "unserved"
    : surfaces.situation(document);
}

async function keep(setting: string, { place, value }: Write<unknown>): Promise<void> {
  const target = place === "workspace" ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration().update(setting, value, target);
}
