// What a person does in the list of memory, and what becomes of it while it is open.

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { LogOutputChannel } from "vscode";
import type { ServerConnection } from "../../src/server/client";
import type { MemoryReport } from "../../src/server/protocol";
import type { ServerView } from "../../src/status/status";
import { showMemory } from "../../src/memory/memoryPick";
import { UserError } from "../../src/window/userError";
import { rehearse, script, shownList, type QuickPick } from "../support/editor";
import { memoryReport, model, ollamaMemory, status } from "../support/samples";

const shop = model();
const qwen = ollamaMemory();

suite("Show Memory", () => {
  test("Enter unloads the model of the row, and the list stays", async () => {
    const memory = new Memory([shop, qwen]);
    const list = await memory.show({ rows: ["shop"] });
    assert.deepEqual(script.record, ["list: Memory", "server: models.unload pattern:shop", "says: done"]);
    assert.deepEqual(models(list), ["qwen2.5-coder:1.5b (Ollama)"]);
  });

  test("the buttons pin, unpin and unload", async () => {
    const memory = new Memory([shop, qwen]);
    const list = await memory.show({ rows: ["System"] });
    for (const [icon, request] of [["pin", "models.pin"], ["pinned", "models.unpin"], ["debug-disconnect", "models.unload"]] as const) {
      script.record = [];
      list.press("qwen", icon);
      await settled();
      assert.deepEqual(script.record, [`server: ${request} ollama:qwen2.5-coder:1.5b`, "says: done"]);
    }
    assert.deepEqual(models(list), ["shop"]);
  });

  test("Unload all leaves what the server leaves", async () => {
    const memory = new Memory([shop, qwen]);
    const list = await memory.show({ rows: ["Unload all"] });
    assert.deepEqual(script.record.slice(1), ["server: models.unloadAll ", "says: done"]);
    assert.deepEqual(models(list), []);
  });

  test("what has a place of its own closes the list", async () => {
    for (const [row, command] of [["Set limit", "setMemoryLimit"], ["Choose models", "chooseModel"], ["Memory history", "showMemoryHistory"]] as const) {
      const list = await new Memory([shop]).show({ rows: [row] });
      assert.ok(list.isHidden);
      assert.deepEqual(script.record.slice(1), [`command: llmAssist.${command}`]);
    }
  });

  test("follows memory, keeps the active row, and draws only what has changed", async () => {
    const memory = new Memory([shop, qwen]);
    const list = await memory.show({ rows: ["System"] });
    list.activeItems = list.items.filter(({ label }) => label.includes("qwen"));
    const before = list.items;

    memory.tell({ kind: "reporting", status: status(), progress: undefined });
    await settled();
    assert.equal(list.items, before);

    memory.models = [{ ...shop, bytes: 4 * 1024 ** 2 }, qwen];
    memory.tell({ kind: "reporting", status: status(), progress: undefined });
    await settled();
    assert.notEqual(list.items, before);
    assert.deepEqual(list.activeItems.map(({ label }) => label), ["qwen2.5-coder:1.5b (Ollama)"]);

    memory.tell({ kind: "starting" });
    assert.ok(list.isHidden);
  });

  test("an error closes the list and is shown", async () => {
    const memory = new Memory([shop]);
    memory.failure = new UserError("It is being used.");
    const list = await memory.show({ rows: ["shop"] });
    assert.ok(list.isHidden);
    assert.equal(script.record.at(-1), "asks: It is being used. | Show Log");
  });
});

/** A server whose memory can be changed while it is looked at. */
class Memory {
  private _listener: ((view: ServerView) => void) | undefined;
  failure: Error | undefined;

  constructor(public models: MemoryReport["models"]) {}

  async show(scene: { rows: string[] }): Promise<QuickPick> {
    rehearse(scene);
    const server = {
      request: (id: string, argument: { id?: string }) => this.answer(id, argument.id),
      onDidChangeView: (listener: (view: ServerView) => void) => {
        this._listener = listener;
        return { dispose: () => undefined };
      },
    };
    await showMemory(server as unknown as ServerConnection, { show: () => undefined } as unknown as LogOutputChannel);
    await settled();
    return shownList();
  }

  tell(view: ServerView): void {
    this._listener?.(view);
  }

  private answer(command: string, id = ""): Promise<unknown> {
    if (command === "llmAssist.memory.status") {
      return Promise.resolve(memoryReport(this.models));
    }

    script.record.push(`server: ${command.replace("llmAssist.", "")} ${id}`);
    if (this.failure !== undefined) {
      return Promise.reject(this.failure);
    }

    this.models = command.endsWith("pin")
      ? this.models.map((model) => model.id === id ? { ...model, pinned: command.endsWith(".pin") } : model)
      : this.models.filter((model) => command.endsWith(".unload") && model.id !== id);
    return Promise.resolve({ message: "done" });
  }
}

function models(list: QuickPick): string[] {
  return list.items.filter(({ buttons }) => buttons !== undefined).map(({ label }) => label);
}

// Every step of the list is a microtask.
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}
