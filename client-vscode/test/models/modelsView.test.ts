// When the view asks for the models, and when it has itself drawn anew.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogOutputChannel } from "vscode";
import { ModelsView } from "../../src/models/modelsView";
import type { ServerConnection } from "../../src/server/client";
import type { ListedModel } from "../../src/server/protocol";
import type { ServerView } from "../../src/status/status";
import { EventEmitter, rehearse, script, TreeItemCollapsibleState } from "../support/editor";
import { ollamaMemory, ollamaModel, status } from "../support/samples";

const reporting = (bytes: number, state: "ready" | "training" = "ready"): ServerView =>
  ({ kind: "reporting", status: status({ state }, [ollamaMemory({ bytes })]), progress: undefined });

/** All that was answered has been dealt with. */
const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

test("models are listed once, and again when others may be there", async () => {
  const { view, server, drawn, listed } = start();
  assert.equal(listed(), 0);

  server.show(reporting(1024 ** 3));
  assert.equal(listed(), 0, "nobody has looked");

  assert.deepEqual(labels(await view.getChildren()), ["Ollama: in memory"]);
  await view.getChildren();
  assert.equal(listed(), 1);

  const before = drawn();
  server.show(reporting(1024 ** 3 + 1));
  assert.equal(drawn(), before, "a byte more is not to be seen");

  server.show(reporting(2 * 1024 ** 3));
  assert.equal(drawn(), before + 1);
  assert.match((await view.getChildren())[0]?.children[0]?.description ?? "", /2\.0 GB/);
  assert.equal(listed(), 1, "bytes are in the status");

  // What is on screen stays until there is something else to draw.
  server.show(reporting(2 * 1024 ** 3, "training"));
  assert.equal(drawn(), before + 1);
  await view.getChildren();
  await settled();
  assert.equal(drawn(), before + 2);
  assert.equal(listed(), 2);

  server.changed.fire();
  await settled();
  assert.equal(listed(), 3);
  assert.equal(drawn(), before + 2, "they are the same");

  server.models = [ollamaModel(), ollamaModel({ id: "ollama:other", name: "other", loaded: false })];
  server.changed.fire();
  assert.equal(drawn(), before + 2);
  await settled();
  assert.equal(drawn(), before + 3);
});

test("what was asked for before the models changed is asked for again", async () => {
  const { view, server, listed } = start();
  server.show(reporting(1));
  const rows = view.getChildren();
  server.changed.fire();
  await rows;
  await view.getChildren();
  assert.equal(listed(), 2);
});

test("a server that is not there is not asked", async () => {
  const { view, server, listed } = start();
  server.show({ kind: "failed", message: "" });
  assert.deepEqual(await view.getChildren(), []);
  assert.equal(listed(), 0);
  assert.equal(script.record.at(-1), "command: setContext llmAssist.modelsWelcome stopped");
});

test("a list that cannot be had leaves the rows as they were", async () => {
  const { view, server } = start();
  server.show(reporting(1));
  await view.getChildren();
  server.failure = new Error("gone");
  server.changed.fire();
  assert.deepEqual(labels(await view.getChildren()), ["Ollama: in memory"]);
});

test("a row is drawn under the id of its model, with what the menus look for", async () => {
  const { view, server } = start();
  server.show(reporting(1));
  const [section, ...others] = await view.getChildren();
  assert.deepEqual(others, []);
  assert.ok(section !== undefined);
  assert.equal(view.getTreeItem(section).collapsibleState, TreeItemCollapsibleState.Expanded);
  const [row] = await view.getChildren(section);
  assert.ok(row !== undefined);
  const item = view.getTreeItem(row);
  assert.equal(item.id, "ollama:qwen2.5-coder:1.5b");
  assert.equal(item.contextValue, "unload pin");
  assert.equal(item.collapsibleState, TreeItemCollapsibleState.None);
  assert.match(item.accessibilityInformation?.label ?? "", /^qwen2\.5-coder:1\.5b, in use/);
});

test("a selected model stays selected when it goes to another section", async () => {
  const { view, server } = start([{ id: "ollama:qwen2.5-coder:1.5b" }]);
  server.show(reporting(1));
  await view.getChildren();
  script.record = [];

  await view.getChildren();
  assert.ok(!script.record.some((line) => line.startsWith("reveals")), "it is where it was");

  server.models = [ollamaModel({ loaded: false })];
  server.show({ kind: "silent" });
  const [section] = await view.getChildren();
  assert.equal(section?.label, "Ollama: installed");
  assert.ok(script.record.includes("reveals: qwen2.5-coder:1.5b"));
  assert.equal(view.getParent(section.children[0] ?? section), section);
});

function start(selection: typeof script.selection = []): { view: ModelsView; server: Server; drawn: () => number; listed: () => number } {
  rehearse();
  script.selection = selection;
  const server = new Server();
  const view = new ModelsView(server as unknown as ServerConnection, { warn: () => undefined } as unknown as LogOutputChannel);
  let drawn = 0;
  view.onDidChangeTreeData(() => {
    drawn++;
  });
  return { view, server, drawn: () => drawn, listed: () => server.listed };
}

class Server {
  private readonly _viewChanged = new EventEmitter<ServerView>();
  readonly changed = new EventEmitter<void>();
  readonly onDidChangeView = this._viewChanged.event;
  readonly onDidChangeModels = this.changed.event;
  view: ServerView = { kind: "stopped" };
  failure: Error | undefined;
  models: ListedModel[] = [ollamaModel()];
  listed = 0;

  show(view: ServerView): void {
    this.view = view;
    this._viewChanged.fire(view);
  }

  request(): Promise<ListedModel[]> {
    this.listed++;
    return this.failure === undefined ? Promise.resolve(this.models) : Promise.reject(this.failure);
  }
}

function labels(rows: { label: string }[]): string[] {
  return rows.map(({ label }) => label);
}
