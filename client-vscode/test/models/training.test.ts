// What a person is asked before a training, and what the server is told then.

import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { trainModel, trainWorkspace } from "../../src/models/training";
import type { ServerConnection } from "../../src/server/client";
import { CancellationError, presses, rehearse, script, workspace } from "../support/editor";
import { patternModel } from "../support/samples";

const { accept, button } = presses;
const list = "list: Train a model on the code in";
const note = "input: A note to remember the model by (such as “before the refactoring”)";
const trained = ["progress: Learning from your code", "asks: done"];

beforeEach(() => {
  workspace.workspaceFolders = ["/code/shop", "/code/lib"].map((fsPath) => ({ uri: { fsPath } }));
});

afterEach(() => {
  workspace.workspaceFolders = undefined;
  workspace.isTrusted = true;
});

suite("Train a Model", () => {
  test("on all folders of the workspace, if nothing is said", async () => {
    rehearse({ rows: [accept], texts: ["", ""] });
    await run(trainModel);
    assert.deepEqual(script.record, [
      list, "checked: shop, lib",
      "input: Name of the model (shop)",
      note,
      trained[0], "server: {\"folders\":[\"/code/shop\",\"/code/lib\"]}", trained[1],
    ]);
  });

  test("on what is checked, with a name and a note", async () => {
    rehearse({ rows: ["shop", button, accept], folders: ["/other/tools"], texts: ["my tools", "tools", " for later "] });
    await run(trainModel);
    assert.deepEqual(script.record.slice(1, -3), [
      "dialog: Learn from This Folder",
      list, "checked: lib, tools",
      "input: Name of the model (lib)",
      "remark: “my tools” cannot be the name of a model: expected are letters, digits, “.”, “-” and “_”, without “.” or “-” at the beginning or end.",
      note,
    ]);
    assert.equal(script.record.at(-2), "server: {\"folders\":[\"/code/lib\",\"/other/tools\"],\"name\":\"tools\",\"note\":\"for later\"}");
  });

  test("goes back, and remembers what was said", async () => {
    rehearse({ rows: ["lib", accept, accept], texts: [button, "shop", button, "shop", ""] });
    await run(trainModel);
    assert.deepEqual(script.record.filter((line) => /^(list|input|checked)/.test(line)), [
      list, "checked: shop", "input: Name of the model (shop)",
      list, "checked: shop", "input: Name of the model (shop)",
      note, "input: Name of the model (shop)",
      note,
    ]);
    assert.equal(script.record.at(-2), "server: {\"folders\":[\"/code/shop\"],\"name\":\"shop\"}");
  });

  test("needs a folder", async () => {
    rehearse({ rows: ["shop", "lib", accept, "lib", accept], texts: ["", ""] });
    await run(trainModel);
    assert.deepEqual(script.record.slice(0, 3), [list, "checked: ", "checked: lib"]);
  });

  test("asks for a folder at once where none is open", async () => {
    workspace.workspaceFolders = undefined;
    rehearse({ folders: ["/other/tools"], rows: [accept], texts: ["", ""] });
    await run(trainModel);
    assert.deepEqual(script.record.slice(0, 3), ["dialog: Learn from This Folder", list, "checked: tools"]);

    rehearse();
    await run(trainModel);
    assert.deepEqual(script.record, ["dialog: Learn from This Folder"]);
  });

  test("offers what the setting names, beside what is open", async () => {
    rehearse({ rows: [accept], texts: ["", ""] });
    script.settings.globalValue["llmAssist.training.folders"] = ["sources", "/else"];
    await run(trainModel);
    assert.equal(script.record[1], "checked: sources, else");
    assert.equal(script.record.at(-2), "server: {\"folders\":[\"/code/shop/sources\",\"/else\"]}");
  });

  test("trains nothing when the user leaves", async () => {
    for (const said of [{}, { rows: [accept] }, { rows: [accept], texts: [""] }]) {
      rehearse(said);
      await run(trainModel);
      assert.ok(!script.record.some((line) => line.startsWith("server:")));
    }
  });
});

suite("Train on Workspace", () => {
  test("asks nothing", async () => {
    rehearse();
    await run(trainWorkspace);
    assert.deepEqual(script.record, [trained[0], "server: {}", trained[1]]);
  });

  test("needs a folder", async () => {
    workspace.workspaceFolders = [];
    await assert.rejects(run(trainWorkspace), /no folder is open/);
  });
});

test("a training that was canceled says what is in use", async () => {
  rehearse();
  await assert.rejects(run(trainWorkspace, new CancellationError()), CancellationError);
  assert.equal(script.record.at(-1), "says: The training is canceled; the models that were in use stay in use.");
});

test("a workspace that is not trusted is not trained on", async () => {
  workspace.isTrusted = false;
  for (const command of [trainModel, trainWorkspace]) {
    rehearse();
    await assert.rejects(run(command), /not trusted/);
    assert.deepEqual(script.record, []);
  }
});

async function run(command: (server: ServerConnection) => Promise<void>, failure?: Error): Promise<void> {
  const request = (id: string, argument: unknown): Promise<unknown> => {
    if (id === "llmAssist.models.list") {
      return Promise.resolve([patternModel({ folders: ["/code/shop"] })]);
    }

    script.record.push(`server: ${JSON.stringify(argument)}`);
    return failure === undefined ? Promise.resolve({ message: "done" }) : Promise.reject(failure);
  };
  await command({ request } as unknown as ServerConnection);
}
