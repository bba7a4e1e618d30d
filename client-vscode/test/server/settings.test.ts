// What the server may have written into the user's settings, and what not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { keepAnswer } from "../../src/server/settings";
import { UserError } from "../../src/window/userError";
import { rehearse, script } from "../support/editor";
import { root, speaking } from "../support/vscode";

interface Manifest {
  contributes: { configuration: { properties: Record<string, { enum?: string[] }> }[] };
}

test("an answer is kept for the user, whatever the workspace says", async () => {
  for (const value of choices("llmAssist.memory.onModelSwitch")) {
    rehearse();
    script.settings.workspaceValue["llmAssist.memory.onModelSwitch"] = "ask";
    await keepAnswer({ key: "memory.onModelSwitch", value });
    assert.deepEqual(script.record, [`user: llmAssist.memory.onModelSwitch = ${value}`]);
  }
});

test("nothing else is written", async () => {
  rehearse();
  const refused: [string, unknown][] = [
    ["server.path", "/tmp/evil"],
    ["ollama.endpoint", "http://example.com"],
    ["memory.limit", "low"],
    ["memory", { onModelSwitch: "keep" }],
    ["llmAssist.memory.onModelSwitch", "keep"],
    ["constructor", "keep"],
    ["", "keep"],
    ["memory.onModelSwitch", "never"],
    ["memory.onModelSwitch", ["keep"]],
    ["memory.onModelSwitch", null],
    ["memory.onModelSwitch", undefined],
  ];
  for (const [key, value] of refused) {
    await assert.rejects(keepAnswer({ key, value }), UserError, `${key} = ${JSON.stringify(value)}`);
  }

  assert.deepEqual(script.record, []);
});

test("a refusal tells what was found and what is expected", async () => {
  await assert.rejects(keepAnswer({ key: "server.path", value: "x" }), {
    message: "The setting llmAssist.server.path is not one that the server may change; expected is one of these: memory.onModelSwitch.",
  });
  await assert.rejects(speaking("es", () => keepAnswer({ key: "memory.onModelSwitch", value: "never" })), {
    message: "El ajuste llmAssist.memory.onModelSwitch no puede tomar el valor \"never\"; se espera uno de estos: ask, unload, keep.",
  });
});

function choices(name: string): string[] {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;
  const found = manifest.contributes.configuration.flatMap(({ properties }) => properties[name]?.enum ?? []);
  assert.notEqual(found.length, 0);
  return found;
}
