// package.json against the source: commands, settings and what the package contains.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { MemoryHistoryPanel } from "../src/memory/historyPanel";
import { actions, welcomes } from "../src/models/modelTree";
import { paletteCommands } from "../src/window/paletteCommands";
import { root } from "./support/vscode";

interface Property {
  order: number;
  scope: string;
  default: unknown;
  pattern?: string;
}

const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  publisher: string;
  name: string;
  main: string;
  icon: string;
  files: string[];
  engines: { vscode: string };
  activationEvents: string[];
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; icon?: string; enablement?: string }[];
    keybindings: { command: string; key: string; when: string }[];
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    views: Record<string, { id: string; icon: string }[]>;
    viewsWelcome: { view: string; contents: string; when: string }[];
    menus: Record<string, { command: string; when: string; group?: string }[]>;
    configuration: { order: number; properties: Record<string, Property> }[];
    walkthroughs: { id: string; steps: { id: string; description: string; media: { svg: string }; completionEvents: string[] }[] }[];
  };
};
const [walkthrough] = manifest.contributes.walkthroughs;
const properties = manifest.contributes.configuration.flatMap((group) => Object.entries(group.properties));

test("the palette has the commands that the source registers", () => {
  assert.deepEqual(
    manifest.contributes.commands.map(({ command }) => command).sort(),
    Object.values(paletteCommands).sort(),
  );
});

test("no palette command has the id of a server command", () => {
  // The language client registers every command that the server announces; a second registration throws.
  for (const id of Object.values(paletteCommands)) {
    assert.doesNotMatch(id, /^llmAssist\.(models|memory|completion|ollama)\./);
  }
});

test("the views lie in containers of the manifest, with icons that the package has", () => {
  const { viewsContainers, views } = manifest.contributes;
  assert.deepEqual(Object.keys(views), viewsContainers.activitybar.map(({ id }) => id));
  for (const { icon } of [...viewsContainers.activitybar, ...Object.values(views).flat()]) {
    assert.ok(manifest.files.includes(icon), icon);
    assert.ok(existsSync(path.join(root, icon)), icon);
  }
});

test("menus have commands of the manifest, with an icon where there is no room for a title", () => {
  const commands = new Map(manifest.contributes.commands.map((command) => [command.command, command]));
  for (const { command, group = "" } of Object.values(manifest.contributes.menus).flat()) {
    assert.ok(commands.has(command), command);
    assert.ok(!/^(inline|navigation)/.test(group) || commands.get(command)?.icon !== undefined, command);
  }
});

test("whatever can be done with a model has an entry in the view's menu, and no entry is for nothing", () => {
  const words = manifest.contributes.menus["view/item/context"]?.map(({ when }) => /\\b(\w+)\\b/.exec(when)?.[1]);
  assert.deepEqual([...new Set(words)].sort(), [...actions].sort());
});

test("whatever can be missing is told in the empty view", () => {
  const words = manifest.contributes.viewsWelcome.map(({ when }) => when.replace("llmAssist.modelsWelcome == ", ""));
  assert.deepEqual(words, [...welcomes]);
});

test("every setting has a place, a scope and a default", () => {
  for (const group of manifest.contributes.configuration) {
    const orders = Object.values(group.properties).map(({ order }) => order);
    assert.deepEqual(orders, orders.map((_, index) => index + 1));
  }

  for (const [name, property] of properties) {
    assert.match(name, /^llmAssist\.[a-zA-Z.]+$/);
    assert.ok(["window", "machine", "language-overridable"].includes(property.scope), name);
    assert.notEqual(property.default, undefined, name);
  }
});

test("Ctrl+M is left to the editor by a setting, by screen readers and without a server", () => {
  const [binding, ...others] = manifest.contributes.keybindings.filter(({ key }) => key === "ctrl+m");
  assert.deepEqual(others, []);
  assert.equal(binding?.command, paletteCommands.showMemory);
  const conditions = binding.when.split(" && ");
  assert.deepEqual(conditions, ["config.llmAssist.keyboard.ctrlM", "!accessibilityModeEnabled", "llmAssist.running"]);
  assert.ok(properties.some(([name, { default: value }]) => `config.${name}` === conditions[0] && value === true));
});

test("what all windows share, and what runs, is not for a workspace to set", () => {
  for (const [name, { scope }] of properties) {
    const shared = name.startsWith("llmAssist.memory.") || ["llmAssist.server.path", "llmAssist.ollama.endpoint"].includes(name);
    // What the client itself judges, file by file, can differ between languages.
    const byLanguage = ["llmAssist.completion.inline", "llmAssist.completion.list"].includes(name);
    assert.equal(scope, shared ? "machine" : byLanguage ? "language-overridable" : "window", name);
  }
});

test("the log at Trace holds all that is said, unless the user wants less", () => {
  // The library reads it by this name; without it, only the names of messages would be in the log.
  assert.equal(properties.find(([name]) => name === "llmAssist.trace.server")?.[1].default, "verbose");
});

test("restricted settings exist", () => {
  const names = new Set(properties.map(([name]) => name));
  for (const name of manifest.capabilities.untrustedWorkspaces.restrictedConfigurations) {
    assert.ok(names.has(name), name);
  }
});

test("a workspace that is not trusted cannot have code sent anywhere, nor hold memory", () => {
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const name of ["completion.source", "ollama.enabled", "ollama.endpoint", "ollama.model", "ollama.keepAlive"]) {
    assert.ok(restricted.includes(`llmAssist.${name}`), name);
  }
});

test("what tells why there are no completions can be called while there is no server", () => {
  const enablements = new Map(manifest.contributes.commands.map(({ command, enablement }) => [command, enablement]));
  for (const name of ["explainCompletion", "toggleCompletions", "toggleLanguage", "snooze", "showLog", "restart"] as const) {
    assert.equal(enablements.get(paletteCommands[name]), undefined, name);
  }
});

test("how long a model stays is a duration with its unit, as Ollama reads it", () => {
  const { pattern = "" } = manifest.contributes.configuration
    .map((group) => group.properties["llmAssist.ollama.keepAlive"])
    .find((property) => property !== undefined) ?? {};
  const right = ["", "10m", "1h30m", "0s", "1.5h", "500ms", "-1m"];
  const wrong = ["10", "-1", "m", "10 m", "10min", "forever"];
  const judged = [...right, ...wrong].filter((text) => new RegExp(pattern).test(text));
  assert.deepEqual(judged, right);
});

test("every setting that the source reads is in the manifest", () => {
  const names = new Set(properties.map(([name]) => name));
  const read = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(path.join(root, "src", file), "utf8").matchAll(/"(llmAssist\.(?:server\.path|statusBar|\w+\.\w+))"/g)])
    .map(([, name]) => name ?? "")
    .filter((name) => !/^llmAssist\.(models|memory\.(?:status|history|setLimit)|completion\.explain|ollama\.pull)/.test(name));
  assert.notEqual(read.length, 0);
  for (const name of read) {
    assert.ok(names.has(name) || name === "llmAssist.status", name);
  }
});

test("the walkthrough is the one that the source opens", () => {
  const { publisher, name } = manifest;
  const opened = readFileSync(path.join(root, "src/window/commands.ts"), "utf8");
  assert.ok(opened.includes(`"${publisher}.${name}#${walkthrough?.id}"`));
});

test("every step of the walkthrough has a picture of ours, without words, in colors of the theme", () => {
  for (const { media } of walkthrough?.steps ?? assert.fail()) {
    const drawing = readFileSync(path.join(root, media.svg), "utf8");
    assert.ok(manifest.files.some((entry) => media.svg.startsWith(entry)), media.svg);
    // The editor's policy for such pictures allows neither styles nor anything from elsewhere.
    assert.doesNotMatch(drawing, /<text|<style|<script|<image|style=|href|#[0-9a-f]{3}/i);
    assert.match(drawing, /var\(--vscode-/);
  }
});

test("the walkthrough links to commands that there are", () => {
  const ours = new Set<string>(Object.values(paletteCommands));
  for (const file of ["package.nls.json", "package.nls.es.json"]) {
    const texts = JSON.parse(readFileSync(path.join(root, file), "utf8")) as Record<string, string>;
    for (const { description, completionEvents } of walkthrough?.steps ?? assert.fail()) {
      for (const [, command = ""] of (texts[description.slice(1, -1)] ?? "").matchAll(/\]\(command:([^)]+)\)/g)) {
        assert.ok(ours.has(command) || command === "vscode.openFolder", command);
      }

      for (const [, command = ""] of completionEvents.map((event) => /^onCommand:(llmAssist.*)$/.exec(event) ?? [])) {
        assert.ok(command === "" || ours.has(command), command);
      }
    }
  }
});

test("the editor waits for us with a panel of before", () => {
  assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${MemoryHistoryPanel.type}`));
});

test("the package holds the icon, the entry point and the page of the memory history", () => {
  assert.ok(manifest.files.includes("dist/memoryHistory/"));
  assert.ok(manifest.files.includes(manifest.icon));
  assert.ok(manifest.files.includes(path.posix.normalize(manifest.main)));
  assert.ok(existsSync(path.join(root, manifest.icon)));
});

test("the editor is one that the language client works in, for the client itself does not look any more", () => {
  const place = [root, path.dirname(root)].map((folder) => path.join(folder, "node_modules/vscode-languageclient/package.json")).find(existsSync);
  assert(place !== undefined);
  const { engines } = JSON.parse(readFileSync(place, "utf8")) as { engines: { vscode: string } };
  assert.equal(manifest.engines.vscode, engines.vscode);
});
