// What 'npm start' takes its arguments for, and what it opens a browser with.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browserCommand, understood } from "../start.mjs";

const rows = [
  [[], { noEditor: false, ollama: [], names: [] }],
  [["code"], { noEditor: false, ollama: [], names: ["code"] }],
  [["--no-editor", "code"], { noEditor: true, ollama: [], names: ["code"] }],
  [["--no-editor", "code", "--ollama", "host:1234"], { noEditor: true, ollama: ["--ollama", "host:1234"], names: ["code"] }],
  [["--ollama", "host", "code", "--ollama-model", "m"], { noEditor: false, ollama: ["--ollama", "host", "--ollama-model", "m"], names: ["code"] }],
];

for (const [args, expected] of rows) {
  test(`understands ${JSON.stringify(args)}`, () => assert.deepEqual(understood(args), expected));
}

const wrongRows = [
  [["--what"], /--what/],
  [["one", "two"], /two.*--ollama URL/],
  [["code", "--ollama"], /--ollama (needs a value|necesita un valor)/],
  [["--ollama", "--no-editor"], /--ollama (needs a value|necesita un valor)/],
];

for (const [args, expected] of wrongRows) {
  test(`refuses ${JSON.stringify(args)}`, () => assert.throws(() => understood(args), { message: expected }));
}

const address = "http://127.0.0.1:1/?folder=%2Fa";
const browserRows = [
  ["darwin", {}, ["open", address]],
  ["linux", { DISPLAY: ":0" }, ["xdg-open", address]],
  ["linux", { WAYLAND_DISPLAY: "wayland-0" }, ["xdg-open", address]],
  ["linux", {}, undefined],
  ["win32", {}, ["cmd", "/c", "start", "", address]],
];

for (const [platform, environment, expected] of browserRows) {
  test(`opens a browser on ${platform} with ${JSON.stringify(environment)}`, () =>
    assert.deepEqual(browserCommand(platform, environment, address), expected));
}
