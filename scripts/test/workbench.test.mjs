// Where the workbench is kept.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { cacheFolder } from "../../client-vscode/workbench/install.mjs";

const rows = [
  ["linux", {}, ["/home/ada", ".cache", "llm-assist"]],
  ["linux", { XDG_CACHE_HOME: "/cache" }, ["/cache", "llm-assist"]],
  ["linux", { XDG_CACHE_HOME: "" }, ["/home/ada", ".cache", "llm-assist"]],
  ["darwin", {}, ["/home/ada", "Library", "Caches", "llm-assist"]],
  ["win32", { LOCALAPPDATA: "/local" }, ["/local", "llm-assist"]],
  ["win32", {}, ["/home/ada", "AppData", "Local", "llm-assist"]],
];

for (const [platform, environment, expected] of rows) {
  test(`the cache on ${platform} with ${JSON.stringify(environment)}`, () =>
    assert.equal(cacheFolder(environment, platform, "/home/ada"), path.join(...expected)));
}
