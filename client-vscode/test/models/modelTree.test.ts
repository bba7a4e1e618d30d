import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { adopted, listingKey, modelRows, welcome, type ModelRow, type TreeFacts } from "../../src/models/modelTree";
import type { OllamaModel, PatternModel } from "../../src/server/protocol";
import { model, ollamaMemory, ollamaModel, patternModel, status, type Changes } from "../support/samples";
import { speaking } from "../support/vscode";

const facts: TreeFacts = {
  models: [],
  memory: [],
  folders: ["/home/ana/shop"],
  isTrusted: true,
  isTraining: false,
  isOllamaEnabled: true,
};
const unloaded = { loaded: false, current: false, memoryKb: 0, contextTokens: undefined };

function pattern(name: string, day: number, changes: Partial<PatternModel> = {}): PatternModel {
  return patternModel({ id: `pattern:${name}_2025110${day}_120000`, name, createdAt: `2025-11-0${day}T12:00:00Z`, ...changes });
}

function ollama(name: string, changes: Changes<OllamaModel> = {}): OllamaModel {
  return ollamaModel({ id: `ollama:${name}`, name, ...unloaded, ...changes });
}

suite("rows", () => {
  const cases: [string, Partial<TreeFacts>, string[]][] = [
    ["no model at all", {}, []],
    ["a model of this workspace, and nobody who answers for Ollama", { models: [pattern("shop", 3)] }, [
      "This workspace",
      "  shop: in use · 24 MB · Nov 3, 2025 [unload pin delete]",
      "Ollama",
      "  Not running, or without a model",
    ]],
    ["Ollama that is not asked", { models: [pattern("shop", 3)], isOllamaEnabled: false }, [
      "This workspace",
      "  shop: in use · 24 MB · Nov 3, 2025 [unload pin delete]",
      "Ollama",
      "  Not asked",
    ]],
    ["older versions below the newest, other folders below one's own", {
      models: [
        pattern("lib", 2, { folders: ["/home/ana/lib"], loaded: false }),
        pattern("shop", 3),
        pattern("shop", 2, { current: false, loaded: false }),
        pattern("shop", 1, { current: false, pinned: true }),
        ollama("a", { fit: "now" }),
      ],
    }, [
      "This workspace",
      "  shop: in use · 24 MB · Nov 3, 2025 [unload pin compare delete deleteOlder]",
      "    Nov 2, 2025: 24 MB [load compare delete]",
      "    Nov 1, 2025: in use · pinned · 24 MB [unload unpin compare delete]",
      "Other pattern models",
      "  lib: 24 MB · Nov 2, 2025 [load compare delete]",
      "Ollama: installed",
      "  a: fits now [load]",
    ]],
    ["the latest figures, but not what a command has just changed", {
      models: [pattern("shop", 3), ollamaModel({ memoryKb: 1, pinned: true }), ollama("gone")],
      memory: [
        model({ id: "pattern:shop_20251103_120000", bytes: 3 * 1024 ** 2 }),
        ollamaMemory({ id: "ollama:gone" }),
        ollamaMemory({ contextTokens: 8000, bytes: 2 * 1024 ** 3 }),
      ],
    }, [
      "This workspace",
      "  shop: in use · 3 MB of 24 MB in RAM · Nov 3, 2025 [unload pin delete]",
      "Ollama: in memory",
      "  qwen2.5-coder:1.5b: in use · pinned · 2.0 GB in RAM · 8,000 tokens of context [unload unpin]",
      "Ollama: installed",
      "  gone: 940 MB [load]",
    ]],
    ["models of Ollama by what fits", {
      folders: [],
      models: [
        ollama("cloud", { remoteHost: "https://ollama.com:443" }),
        ollama("embeds", { capabilities: ["embedding"], fit: "now" }),
        ollama("large", { fit: "no", predictedBytes: 30 * 1024 ** 3 }),
        ollama("tomorrow", { fit: "tomorrow" as "now" }),
        ollama("unknown"),
        ollama("medium", { fit: "afterEvicting", predictedBytes: 4 * 1024 ** 3, fitEvicts: ["ollama:busy"] }),
        ollama("small", { fit: "now", predictedBytes: 1024 ** 3 }),
        ollama("busy", { loaded: true, memoryKb: 1024 ** 2 }),
      ],
    }, [
      "Ollama: in memory",
      "  busy: 1.0 GB in RAM [unload pin]",
      "Ollama: installed",
      "  small: fits now: 1.0 GB [load]",
      "  tomorrow: 940 MB [load]",
      "  unknown: 940 MB [load]",
      "  medium: fits after unloading busy · takes 4.0 GB [load]",
      "  large: does not fit: takes 30.0 GB [load]",
      "  cloud: your code is sent to ollama.com [load]",
      "  embeds: does not complete",
    ]],
    ["a model of the cloud takes no memory here, in use or not", {
      folders: [],
      models: [ollama("cloud", { loaded: true, current: true, remoteHost: "https://ollama.com:443" })],
    }, [
      "Ollama: installed",
      "  cloud: in use · your code is sent to ollama.com [unload]",
    ]],
    ["a workspace without a model of its own can be trained on", { models: [ollama("a")] }, [
      "This workspace", "  Train on Workspace", "Ollama: installed", "  a: 940 MB [load]",
    ]],
    ["while that happens it says so", { models: [ollama("a")], isTraining: true }, [
      "This workspace", "  A model is being trained", "Ollama: installed", "  a: 940 MB [load]",
    ]],
    ["one that is not trusted cannot", { models: [ollama("a")], isTrusted: false }, ["Ollama: installed", "  a: 940 MB [load]"]],
  ];
  for (const [name, changes, expected] of cases) {
    test(name, () => {
      assert.deepEqual(modelRows({ ...facts, ...changes }).flatMap((row) => outline(row)), expected);
    });
  }

  test("a folder is this workspace's however it is written", () => {
    for (const [learned, open] of [
      ["/home/ana/shop/", "/home/ana/shop"],
      ["C:\\code\\shop", "c:\\code\\shop"],
      ["C:/code/shop", "c:\\code\\Shop\\"],
    ] as const) {
      const [first] = modelRows({ ...facts, folders: [open], models: [pattern("shop", 3, { folders: [learned] })] });
      assert.equal(first?.label, "This workspace", learned);
    }

    const [first] = modelRows({ ...facts, folders: ["/home/ana/Shop"], isTrusted: false, models: [pattern("shop", 3)] });
    assert.equal(first?.label, "Other pattern models");
  });

  test("every row is another one, and stays it when its figures change", () => {
    const models = [pattern("shop", 3), pattern("shop", 2, { current: false }), pattern("lib", 1, { folders: [] }), ollamaModel(), ollama("a")];
    const ids = modelRows({ ...facts, models }).flatMap(allIds);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(modelRows({ ...facts, models, memory: [ollamaMemory({ bytes: 7 })] }).flatMap(allIds), ids);
  });

  test("a tooltip tells the rest, and nothing in a name is taken for Markdown", () => {
    const tooltips = (changes: Partial<TreeFacts>): string => modelRows({ ...facts, ...changes })
      .flatMap(({ children }) => children)
      .map(({ tooltip }) => tooltip.replace(/\\(.)/g, "$1"))
      .join("\n");
    assert.match(tooltips({ models: [pattern("shop", 3)] }), /In use: code is completed from it\.[^]*\| On \| &emsp;\/home\/ana\/shop, \/home\/ana\/lib \|[^]*1,234,567/);
    assert.match(tooltips({ models: [ollama("a", { fit: "now", predictedBytes: 1024 ** 3, fitContextTokens: 8000 })] }),
      /It would take about 1\.0 GB of memory, with 8,000 tokens of context\. It fits now\.[^]*\| Sees the text after the cursor \| &emsp;yes \|/);
    assert.match(tooltips({ models: [ollama("a", { fit: "afterEvicting", predictedBytes: 1024 ** 3, fitEvicts: ["ollama:b"] })] }), /It fits after unloading b\./);
    assert.match(tooltips({ models: [ollama("a", { fit: "no", predictedBytes: 1024 ** 3 })] }), /It does not fit: close programs/);
    assert.match(tooltips({ models: [ollama("a")] }), /What it would take is not known/);
    assert.match(tooltips({ models: [ollamaModel()], memory: [ollamaMemory({ vramBytes: 1024 ** 3 })] }), /1\.0 GB in VRAM/);
    const [row] = modelRows({ ...facts, models: [pattern("a*b|c", 3)] })[0]?.children ?? [];
    assert.match(row?.tooltip ?? "", /^\*\*a\\\*b\\\|c\*\*/);
  });

  test("what is spoken has no signs in it", () => {
    const [row] = modelRows({ ...facts, models: [pattern("shop", 3, { pinned: true })] })[0]?.children ?? [];
    assert.match(row?.spoken ?? "", /^shop, in use, pinned, 24 MB, Nov 3, 2025/);
    const [loaded] = modelRows({ ...facts, folders: [], models: [ollamaModel()], memory: [ollamaMemory()] })[0]?.children ?? [];
    assert.equal(loaded?.spoken, "qwen2.5-coder:1.5b, in use, 1.3 GB in RAM, 4,000 tokens of context");
  });

  test("in Spanish", () => {
    const rows = speaking("es", () => modelRows({ ...facts, models: [pattern("shop", 3), ollama("a", { fit: "now" })] }).flatMap((row) => outline(row)));
    assert.deepEqual(rows.map((row) => row.replace(/ · 3 nov.*/, "")), [
      "Esta área de trabajo",
      "  shop: en uso · 24 MB",
      "Ollama: instalados",
      "  a: cabe ahora [load]",
    ]);
  });
});

test("what stands there while there are no rows", () => {
  const cases: [string | undefined, Parameters<typeof welcome>[0], Parameters<typeof welcome>[1], Partial<TreeFacts>][] = [
    ["stopped", "stopped", undefined, {}],
    ["stopped", "failed", [], {}],
    [undefined, "starting", [], {}],
    [undefined, "silent", undefined, {}],
    [undefined, "reporting", [patternModel()], {}],
    ["noModel", "reporting", [], {}],
    ["noModel", "silent", [], {}],
    ["untrusted", "reporting", [], { isTrusted: false }],
    ["noFolder", "reporting", [], { folders: [] }],
    ["noFolder", "reporting", [], { folders: [], isTrusted: false }],
    ["training", "reporting", [], { isTraining: true }],
  ];
  for (const [expected, view, models, changes] of cases) {
    assert.equal(welcome(view, models, { ...facts, ...changes }), expected);
  }
});

test("models are listed anew for what changes which there are or what fits, not for bytes", () => {
  const before = listingKey(status({}, [model(), ollamaMemory()]));
  assert.equal(listingKey(status({ message: "…" }, [ollamaMemory({ bytes: 1 }), model({ busy: true })])), before);
  for (const changed of [
    status({ state: "training" }, [model(), ollamaMemory()]),
    status({}, [model()]),
    status({}, [model({ pinned: true }), ollamaMemory()]),
  ]) {
    assert.notEqual(listingKey(changed), before);
  }
});

suite("adopted", () => {
  const rows = (sizeBytes: number, names: string[]): ModelRow[] =>
    modelRows({ ...facts, models: [...names.map((name) => pattern(name, 3, { sizeBytes })), ollama("a")] });

  test("exchanges what rows say in their place", () => {
    const shown = rows(1024 ** 2, ["shop"]);
    const kept = shown.flatMap(({ children }) => children);
    assert.deepEqual(adopted(shown, rows(1024 ** 2, ["shop"])), []);
    const changed = adopted(shown, rows(2 * 1024 ** 2, ["shop"]));
    assert.deepEqual(changed?.map(({ label }) => label), ["shop"]);
    assert.equal(changed?.[0], kept[0]);
    assert.deepEqual(shown, rows(2 * 1024 ** 2, ["shop"]));
  });

  test("leaves to be drawn anew what came, went, or has others below it", () => {
    for (const names of [[], ["shop", "team"], ["team"], ["shop", "shop"]]) {
      const shown = rows(1024 ** 2, ["shop"]);
      const before = JSON.stringify(shown);
      assert.equal(adopted(shown, rows(2 * 1024 ** 2, names)), undefined, names.join());
      assert.equal(JSON.stringify(shown), before);
    }
  });
});

/** The row and those below it, without the time of day, which depends on where the test runs. */
function outline({ label, description, actions, children }: ModelRow, indent = ""): string[] {
  const line = description === "" ? label : `${label}: ${description}`;
  const done = actions.length === 0 ? "" : ` [${actions.join(" ")}]`;
  const day = line.replace(/(Nov \d, 2025), [^:·]*:\d\d\s[AP]M/g, "$1");
  return [`${indent}${day}${done}`, ...children.flatMap((child) => outline(child, `${indent}  `))];
}

function allIds({ id, children }: ModelRow): string[] {
  return [id, ...children.flatMap(allIds)];
}
