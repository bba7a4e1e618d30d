// What a person does in the lists about models, what the server is asked for then, and what is kept.

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { LogOutputChannel } from "vscode";
import type { ServerConnection } from "../../src/server/client";
import { chooseModels, compareModels, deleteModel, deleteOlderModels, loadModel, pinModel, pullModel, unloadModel, unpinModel } from "../../src/models/modelCommands";
import type { ListedModel } from "../../src/server/protocol";
import { UserError } from "../../src/window/userError";
import { CancellationError, rehearse, script, workspace } from "../support/editor";
import { ollamaModel, patternModel } from "../support/samples";

const shop = patternModel();
const qwen = ollamaModel();
const llama = ollamaModel({ id: "ollama:llama3.2:1b", name: "llama3.2:1b", loaded: false, current: false });
const cloud = ollamaModel({ id: "ollama:big:cloud", name: "big:cloud", loaded: false, current: false, remoteHost: "https://ollama.com:443" });
const setting = "llmAssist.ollama.model";
const choose = "list: Choose the models to complete from";

suite("Choose Models", () => {
  test("a model of Ollama is loaded with progress, then kept", async () => {
    rehearse({ rows: ["llama3.2"] });
    await run(chooseModels, [shop, qwen, llama]);
    assert.deepEqual(script.record, [
      choose,
      "progress: Loading llama3.2:1b",
      "server: models.load ollama:llama3.2:1b",
      "progress: half +50", "progress: anew +0", "progress:  +30",
      `user: ${setting} = llama3.2:1b`,
      "says: done",
    ]);
  });

  test("a model that is not loaded is not kept", async () => {
    rehearse({ rows: ["llama3.2"] });
    await run(chooseModels, [llama], { "models.load": new UserError("No room.") });
    assert.equal(script.record.at(-1), "asks: No room. | Show Log");
    assert.ok(!script.record.some((line) => line.startsWith("user:")));
  });

  test("a model of the cloud is asked for only after a yes", async () => {
    const question = "asks: “big:cloud” does not run on this machine | Send My Code to ollama.com";
    rehearse({ rows: ["big:cloud"] });
    await run(chooseModels, [cloud]);
    assert.deepEqual(script.record, [choose, question]);

    rehearse({ rows: ["big:cloud"], buttons: ["Send My Code to ollama.com"] });
    await run(chooseModels, [cloud]);
    assert.deepEqual(script.record.slice(1, 4), [question, "progress: Loading big:cloud", "server: models.load ollama:big:cloud"]);
  });

  test("none unloads what is asked so far, then forgets it", async () => {
    rehearse({ rows: ["None"] });
    script.settings.globalValue[setting] = qwen.name;
    await run(chooseModels, [shop, qwen]);
    assert.deepEqual(script.record, [
      choose,
      "server: models.unload ollama:qwen2.5-coder:1.5b",
      `user: ${setting} = undefined`,
      "says: No model of Ollama is in use.",
    ]);
  });

  test("pattern models are taken and left while the list is open", async () => {
    rehearse({ rows: ["shop", "lib", undefined] });
    await run(chooseModels, [shop, patternModel({ id: "pattern:lib", name: "lib", loaded: false }), qwen]);
    assert.deepEqual(script.record, [
      choose,
      "server: models.unload pattern:shop_20251103_120000",
      "server: models.load pattern:lib",
    ]);
  });

  test("a workspace's own choice is changed there", async () => {
    rehearse({ rows: ["llama3.2"] });
    script.settings.workspaceValue[setting] = qwen.name;
    await run(chooseModels, [llama]);
    assert.ok(script.record.includes(`workspace: ${setting} = llama3.2:1b`));
  });

  test("a switch that keeps models out leads to its setting", async () => {
    rehearse({ rows: ["Not asked"] });
    script.settings.globalValue["llmAssist.completion.source"] = "pattern";
    await run(chooseModels, [shop]);
    assert.deepEqual(script.record.slice(1), ["command: workbench.action.openSettings llmAssist.completion.source"]);
  });
});

suite("Download Model from Ollama", () => {
  test("what was downloaded can be used at once", async () => {
    rehearse({ rows: ["qwen2.5-coder:1.5b"], buttons: ["Use It"] });
    await run(pullModel, [{ ...qwen, loaded: false, current: false }]);
    assert.deepEqual(script.record.filter((line) => !/^progress: .*\+/.test(line)), [
      "list: Download a model with Ollama",
      "progress: Downloading qwen2.5-coder:1.5b",
      "server: ollama.pull qwen2.5-coder:1.5b",
      "asks: done | Use It",
      "progress: Loading qwen2.5-coder:1.5b",
      "server: models.load ollama:qwen2.5-coder:1.5b",
      `user: ${setting} = qwen2.5-coder:1.5b`,
      "says: done",
    ]);
  });

  test("and need not", async () => {
    rehearse({ rows: ["qwen2.5-coder:1.5b"] });
    await run(pullModel, [qwen]);
    assert.equal(script.record.at(-1), "asks: done | Use It");
  });

  test("what was canceled can be gone on with", async () => {
    rehearse({ rows: ["starcoder2"] });
    await assert.rejects(run(pullModel, [], { "ollama.pull": new CancellationError() }), CancellationError);
    assert.equal(script.record.at(-1), "says: The download is paused: download starcoder2:3b again to go on with it.");
  });

  test("leaving the list downloads nothing", async () => {
    rehearse();
    await run(pullModel, []);
    assert.deepEqual(script.record, ["list: Download a model with Ollama"]);
  });
});

suite("one model", () => {
  test("Load Model asks a model of Ollama for this session only", async () => {
    rehearse({ rows: ["llama3.2"] });
    await run((server) => loadModel(server), [shop, llama]);
    assert.ok(script.record.includes("server: models.load ollama:llama3.2:1b"));
    assert.ok(!script.record.some((line) => line.startsWith("user:")));
  });

  test("Unload Model has both kinds", async () => {
    rehearse({ rows: ["qwen"] });
    await run((server) => unloadModel(server), [shop, qwen]);
    assert.deepEqual(script.record.slice(1), ["server: models.unload ollama:qwen2.5-coder:1.5b", "says: done"]);
  });

  test("Pin Model has the loaded ones that are not pinned", async () => {
    rehearse({ rows: ["qwen"] });
    await run((server) => pinModel(server), [{ ...shop, pinned: true }, qwen, llama]);
    assert.deepEqual(script.record, [
      "list: Pin a model: it is not unloaded to make room for others",
      "server: models.pin ollama:qwen2.5-coder:1.5b",
      "says: done",
    ]);

    rehearse({ rows: ["qwen"] });
    await run((server) => pinModel(server), [{ ...shop, pinned: true }, llama, { ...cloud, loaded: true }]);
    assert.deepEqual(script.record, ["asks: There is no loaded model that is not pinned already. Load one first."]);
  });

  test("Unpin Model has the pinned ones, loaded or not", async () => {
    rehearse({ rows: ["llama3.2"] });
    await run((server) => unpinModel(server), [shop, qwen, { ...llama, pinned: true }]);
    assert.deepEqual(script.record.slice(1), ["server: models.unpin ollama:llama3.2:1b", "says: done"]);

    rehearse();
    await run((server) => unpinModel(server), [shop, qwen]);
    assert.deepEqual(script.record, ["asks: No model is pinned."]);
  });

  test("a model that is named is not asked for, and one that is gone is said to be", async () => {
    rehearse();
    await run((server) => unloadModel(server, qwen.id), [shop, qwen]);
    assert.deepEqual(script.record, ["server: models.unload ollama:qwen2.5-coder:1.5b", "says: done"]);

    rehearse();
    await assert.rejects(run((server) => unloadModel(server, "pattern:gone_20250101_000000"), [shop]), /There is no model pattern:gone/);
    assert.deepEqual(script.record, []);
  });

  test("Delete Model leaves Ollama's alone", async () => {
    rehearse();
    await run((server) => deleteModel(server), [qwen]);
    assert.deepEqual(script.record, [
      "asks: There is no pattern model. Models of Ollama are deleted in a terminal, with “ollama rm NAME”.",
    ]);
  });
});

suite("Delete Older Versions", () => {
  const older = (name: string, day: number, changes: Partial<ListedModel> = {}): ListedModel =>
    patternModel({ id: `pattern:${name}_2025110${day}_120000`, name, current: false, loaded: false, ...changes as object });
  const models = [shop, older("shop", 2), older("shop", 1, { loaded: true }), qwen, patternModel({ id: "pattern:lib", name: "lib" }), older("lib", 1)];

  test("says how many and how much, and keeps the newest of each", async () => {
    rehearse({ buttons: ["Delete"] });
    await run((server) => deleteOlderModels(server), models);
    assert.deepEqual(script.record, [
      "asks: Delete 3 older versions? | Delete",
      "server: models.delete pattern:shop_20251102_120000",
      "server: models.delete pattern:shop_20251101_120000",
      "server: models.delete pattern:lib_20251101_120000",
      "says: Older versions deleted: 3. Freed: 72 MB.",
    ]);
    assert.deepEqual(script.details, ["That frees 72 MB on disk, for good. The newest version of each model stays. In use, and unloaded first: 1."]);
  });

  test("of one name only, if a model is named", async () => {
    rehearse({ buttons: ["Delete"] });
    await run((server) => deleteOlderModels(server, "pattern:lib"), models);
    assert.deepEqual(script.record, [
      "asks: Delete 1 older version? | Delete",
      "server: models.delete pattern:lib_20251101_120000",
      "says: Older versions deleted: 1. Freed: 24 MB.",
    ]);
  });

  test("deletes nothing without a yes, nor where there is nothing", async () => {
    rehearse();
    await run((server) => deleteOlderModels(server), models);
    assert.deepEqual(script.record, ["asks: Delete 3 older versions? | Delete"]);

    rehearse({ buttons: ["Delete"] });
    await run((server) => deleteOlderModels(server), [shop, qwen]);
    assert.match(script.record.join(), /^asks: There is no older version of a pattern model/);
  });
});

suite("Compare Models", () => {
  const lib = patternModel({ id: "pattern:lib", name: "lib" });

  test("asks for both models and for the code to measure them on", async () => {
    rehearse({ rows: ["shop", "lib", "/home/ana/lib"] });
    await assert.rejects(run(compare(), [shop, lib, qwen], { "models.compare": new UserError("measured") }), /measured/);
    assert.deepEqual(script.record.map((line) => line.replace(/ of Nov.*M /, " ")), [
      "list: Compare a model",
      "list: Compare “shop” with",
      "list: Measure both on the code in",
      "progress: Comparing “shop” and “lib”",
      "server: models.compare pattern:shop_20251103_120000 pattern:lib /home/ana/lib",
      "progress: half +50", "progress: anew +0", "progress:  +30",
    ]);
  });

  test("of a model that is named only for the other one; the code may lie anywhere", async () => {
    rehearse({ rows: ["shop", "Another"], folders: ["/code"] });
    await assert.rejects(run(compare(lib.id), [shop, lib], { "models.compare": new UserError("measured") }), /measured/);
    assert.ok(script.record.includes("server: models.compare pattern:lib pattern:shop_20251103_120000 /code"));
    assert.ok(!script.record.includes("list: Compare a model"));
  });

  test("measures nothing when the user leaves, or has no second model", async () => {
    for (const rows of [[], ["shop"], ["shop", "lib"], ["shop", "lib", "Another"]]) {
      rehearse({ rows });
      await run(compare(), [shop, lib]);
      assert.ok(!script.record.some((line) => line.startsWith("server:")));
    }

    rehearse();
    await run(compare(shop.id), [shop, qwen]);
    assert.deepEqual(script.record, ["asks: Comparing takes two pattern models, and there are fewer. Training makes one."]);
  });

  test("runs no git in a workspace that is not trusted", async () => {
    workspace.isTrusted = false;
    try {
      await assert.rejects(run(compare(), [shop, lib]), /This workspace is not trusted/);
    } finally {
      workspace.isTrusted = true;
    }
  });

  function compare(id?: string): (server: ServerConnection) => Promise<void> {
    return async (server) => {
      await compareModels(server, id);
    };
  }
});

/** Runs a command with a server that has these models, until the person is done with it. */
async function run(
  command: (server: ServerConnection, log: LogOutputChannel) => Promise<void>,
  models: ListedModel[],
  failures: Record<string, Error> = {},
): Promise<void> {
  const request = (
    id: string,
    argument: { id?: string; name?: string; a?: string; b?: string; folder?: string },
    shown?: { report(message: string | undefined, percentage: number | undefined): void },
  ): Promise<unknown> => {
    if (id === "llmAssist.models.list") {
      return Promise.resolve(models);
    }

    const name = id.replace("llmAssist.", "");
    script.record.push(`server: ${name} ${Object.values(argument).join(" ")}`);
    shown?.report("half", 50);
    shown?.report("anew", 10);
    shown?.report(undefined, 80);
    const failure = failures[name];
    return failure === undefined
      ? Promise.resolve({ id: argument.id ?? `ollama:${argument.name ?? ""}`, message: "done" })
      : Promise.reject(failure);
  };
  await command({ request } as unknown as ServerConnection, { show: () => undefined } as unknown as LogOutputChannel);
  // A list goes on by itself after its command has returned; every step of it is a microtask.
  await new Promise(setImmediate);
}
