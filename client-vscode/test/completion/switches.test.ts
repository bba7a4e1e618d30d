import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { languageWrite, serves, sourceOff, sourceOn, type Languages, type Layers, type Write } from "../../src/completion/switches";

suite("serves", () => {
  const cases: [Languages, string, boolean][] = [
    [{}, "go", true],
    [{ "*": true }, "go", true],
    [{ "*": false }, "go", false],
    [{ "*": false, go: true }, "go", true],
    [{ "*": true, go: false }, "go", false],
    [{ typescript: false }, "typescriptreact", true],
  ];
  for (const [languages, language, expected] of cases) {
    test(`${language} by ${JSON.stringify(languages)}`, () => assert.equal(serves(languages, language), expected));
  }
});

suite("a language is switched where languages are set, else for all workspaces", () => {
  const cases: [string, Layers<Languages>, Write<Languages>][] = [
    ["nowhere", {}, { place: "global", value: { go: false } }],
    ["for the user", { globalValue: { "*": true, go: true } }, { place: "global", value: { "*": true, go: false } }],
    ["in the workspace", { globalValue: { go: true }, workspaceValue: { python: true } }, { place: "workspace", value: { python: true, go: false } }],
  ];
  for (const [name, layers, expected] of cases) {
    test(name, () => assert.deepEqual(languageWrite(layers, "go", false), expected));
  }

  test("what is there is not changed in place", () => {
    const globalValue = Object.freeze({ go: true });
    languageWrite({ globalValue }, "go", false);
    assert.deepEqual(globalValue, { go: true });
  });
});

suite("completions go off and come back as they were", () => {
  const cases: [string, Layers<string>, Write<string>, Layers<string>, Write<string>][] = [
    ["by default", {}, { place: "global", value: "off" }, { globalValue: "off" }, { place: "global", value: undefined }],
    ["as the user chose", { globalValue: "pattern" }, { place: "global", value: "off" }, { globalValue: "off" }, { place: "global", value: "pattern" }],
    [
      "as the workspace says",
      { globalValue: "pattern", workspaceValue: "ollama" },
      { place: "workspace", value: "off" },
      { globalValue: "pattern", workspaceValue: "off" },
      { place: "workspace", value: "ollama" },
    ],
  ];
  for (const [name, layers, off, layersWhenOff, on] of cases) {
    test(name, () => {
      assert.deepEqual(sourceOff(layers), off);
      assert.deepEqual(sourceOn(layersWhenOff, layers.workspaceValue ?? layers.globalValue), on);
    });
  }

  test("what was off by hand comes back as the default", () => {
    assert.deepEqual(sourceOn({ globalValue: "off" }, undefined), { place: "global", value: undefined });
    assert.deepEqual(sourceOn({ workspaceValue: "off" }, undefined), { place: "workspace", value: undefined });
  });

  test("off in the workspace and for the user: the workspace's choice hides the user's", () => {
    assert.deepEqual(sourceOn({ globalValue: "off", workspaceValue: "off" }, undefined), { place: "workspace", value: "auto" });
  });
});
