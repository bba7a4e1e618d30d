// package.json against the source: commands, settings and what the package contains.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { paletteCommands } from "../src/window/paletteCommands";
import { root } from "./support/vscode";

interface Property {
  order: number;
  scope: string;
  default: unknown;
  pattern?: string;
}

const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  main: string;
  icon: string;
  files: string[];
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; enablement?: string }[];
    configuration: { order: number; properties: Record<string, Property> }[];
  };
};
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

test("what all windows share, and what runs, is not for a workspace to set", () => {
  for (const [name, { scope }] of properties) {
    const shared = name.startsWith("llmAssist.memory.") || ["llmAssist.server.path", "llmAssist.ollama.endpoint"].includes(name);
    // What the client itself judges, file by file, can differ between languages.
    const byLanguage = ["llmAssist.completion.inline", "llmAssist.completion.list"].includes(name);
    assert.equal(scope, shared ? "machine" : byLanguage ? "language-overridable" : "window", name);
  }
});

test("restricted settings exist", () => {
  const names = new Set(properties.map(([name]) => name));
  for (const name of manifest.capabilities.untrustedWorkspaces.restrictedConfigurations) {
    assert.ok(names.has(name), name);
  }
});

test("a workspace that is not trusted cannot have code sent anywhere", () => {
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const name of ["completion.source", "ollama.enabled", "ollama.endpoint", "ollama.model"]) {
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
    .filter((name) => !/^llmAssist\.(models|memory\.(?:status|history)|completion\.explain|ollama\.pull)/.test(name));
  assert.notEqual(read.length, 0);
  for (const name of read) {
    assert.ok(names.has(name) || name === "llmAssist.status", name);
  }
});

test("the package holds the icon and the entry point", () => {
  assert.ok(manifest.files.includes(manifest.icon));
  assert.ok(manifest.files.includes(path.posix.normalize(manifest.main)));
  assert.ok(existsSync(path.join(root, manifest.icon)));
});
