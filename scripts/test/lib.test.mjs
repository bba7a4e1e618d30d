// The scripts speak the user's language, say what is missing, and do not repeat work that is done.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { artifacts, once, root } from "../lib.mjs";

const scripts = fileURLToPath(new URL("..", import.meta.url));

function runScript(name, args, env) {
  const { LC_ALL, LC_MESSAGES, LANG, DOTNET_ROOT, ...others } = process.env;
  return spawnSync(process.execPath, [path.join(scripts, name), ...args], { env: { ...others, ...env }, encoding: "utf8" });
}

const languageRows = [
  [{ LANG: "en_US.UTF-8" }, /^Not understood/],
  [{ LANG: "es_MX.UTF-8" }, /^No se entiende/],
  [{ LANG: "es" }, /^No se entiende/],
  [{ LANG: "est_EE.UTF-8" }, /^Not understood/],
  [{ LANG: "C" }, /^Not understood/],
  [{ LANG: "en_US.UTF-8", LC_ALL: "es_ES.UTF-8" }, /^No se entiende/],
];

for (const [env, expected] of languageRows) {
  test(`language of ${JSON.stringify(env)}`, () => {
    const { status, stderr } = runScript("start.mjs", ["--unknown"], env);
    assert.equal(status, 1);
    assert.match(stderr, expected);
  });
}

const missingRows = [
  ["build.mjs", [], { PATH: "" }, /SDK 10 is needed.*https:\/\/dotnet\.microsoft\.com/],
  ["start.mjs", ["no such folder"], {}, /no such folder is not a folder/],
  ["test.mjs", ["--filter"], {}, /Expected: npm test/],
];

for (const [name, args, env, expected] of missingRows) {
  test(`${name} ${args.join(" ")}: one sentence, no stack`, () => {
    const { status, stderr } = runScript(name, args, { LANG: "en", ...env });
    assert.equal(status, 1);
    assert.match(stderr, expected);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  });
}

test("once: again only when a source changed, one was added, or the result is gone", async () => {
  const folder = path.join(artifacts, "once-test");
  const [source, added, result] = ["sources/a", "sources/b", "result"].map((name) => path.join(folder, name));
  let worked = 0;
  const attempt = async () => {
    const before = worked;
    await once("once-test", [path.relative(root, path.dirname(source))], result, async () => {
      worked++;
      writeFileSync(result, "made");
    });
    return worked - before;
  };
  try {
    mkdirSync(path.dirname(source), { recursive: true });
    writeFileSync(source, "1");
    assert.deepEqual([await attempt(), await attempt()], [1, 0]);
    writeFileSync(source, "2");
    assert.deepEqual([await attempt(), await attempt()], [1, 0]);
    writeFileSync(source, "2");
    assert.equal(await attempt(), 0, "the same content written again");
    writeFileSync(added, "");
    assert.equal(await attempt(), 1);
    rmSync(result);
    assert.equal(await attempt(), 1);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(path.join(artifacts, "stamps/once-test"), { force: true });
  }
});
