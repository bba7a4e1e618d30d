import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { downloadRows, modelName } from "../../src/models/download";
import { ollamaModel, patternModel } from "../support/samples";
import { speaking } from "../support/vscode";

suite("modelName", () => {
  const names = [
    "llama3", "qwen2.5-coder:1.5b", "someone/model", "someone/model:tag", "hf.co/owner/Name-GGUF:Q4_K_M",
    "localhost:5000/someone/model:tag", "registry.ollama.ai/library/llama3",
  ];
  for (const name of names) {
    test(name, () => assert.equal(modelName(name), name));
  }

  const pasted: [string, string][] = [
    ["  llama3 ", "llama3"],
    ["ollama run qwen2.5-coder:1.5b", "qwen2.5-coder:1.5b"],
    ["ollama pull starcoder2:3b", "starcoder2:3b"],
    ["https://ollama.com/library/qwen2.5-coder:1.5b", "qwen2.5-coder:1.5b"],
    ["https://ollama.com/someone/model", "someone/model"],
    ["https://huggingface.co/owner/Name-GGUF", "huggingface.co/owner/Name-GGUF"],
  ];
  for (const [text, name] of pasted) {
    test(text, () => assert.equal(modelName(text), name));
  }

  const others = [
    "", " ", "qwen 2.5", "model:", ":tag", "a:b:c", "/model", "owner/", "a/b/c/d", "-model", "model;rm", "módelo", "../model",
    "https://ollama.com/", "x".repeat(81), "ollama rm llama3",
  ];
  for (const text of others) {
    test(`not '${text}'`, () => assert.equal(modelName(text), undefined));
  }
});

test("suggestions tell how much is downloaded, and what is there already", () => {
  const rows = downloadRows("", [patternModel(), ollamaModel({ name: "Qwen2.5-Coder:1.5b" })]);
  assert.deepEqual(rows.map(({ label, description }) => `${label}, ${description}`), [
    "qwen2.5-coder:0.5b, about 0.4 GB",
    "qwen2.5-coder:1.5b, about 1.0 GB, is downloaded; looks for a newer version",
    "qwen2.5-coder:3b, about 1.9 GB",
    "deepseek-coder:1.3b-base, about 0.8 GB",
    "starcoder2:3b, about 1.7 GB",
  ]);
});

test("a suggestion is seen however it is named", () => {
  for (const typed of ["starcoder2:3b", "ollama run starcoder2:3b", "https://ollama.com/library/starcoder2:3b"]) {
    const seen = downloadRows(typed, []).filter(({ always }) => always).map(({ label }) => label);
    assert.deepEqual(seen, ["starcoder2:3b"]);
  }
});

test("what is typed comes first and is always seen", () => {
  const [typed] = downloadRows("ollama pull codegemma:2b", []);
  assert.deepEqual(typed, { icon: "cloud-download", label: "Download codegemma:2b", description: "", name: "codegemma:2b", always: true });
});

test("what is suggested already is not offered twice", () => {
  const names = (typed: string): (string | undefined)[] => downloadRows(typed, []).map(({ name }) => name);
  assert.deepEqual(names("starcoder2:3b"), names(""));
});

test("what is no name tells what one is, and cannot be accepted", () => {
  const [row] = speaking("es", () => downloadRows("qwen 2.5", []));
  assert.deepEqual(row, {
    icon: "error",
    label: "«qwen 2.5» no es el nombre de un modelo",
    description: "se espera NOMBRE o NOMBRE:ETIQUETA, por ejemplo qwen2.5-coder:1.5b",
    always: true,
  });
});
