// Bundles the extension into dist/extension.js and the memory history's page into dist/memoryHistory or, with --tests, every test into out/test.
// Types are checked by `npm run typecheck`, not here.
import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";

const root = import.meta.dirname;
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  logLevel: "warning",
};

// What the language client brings and never uses here, a tenth of it. By module, what stands in its place.
const leftOut = {
  // It compares the editor's version with what it needs; the editor itself has done that with "engines" of package.json.
  "semver/functions/parse": "module.exports = (version) => version;",
  "semver/functions/satisfies": "module.exports = () => true;",
  // For servers that want to know of files that are renamed or deleted, which ours does not ask for.
  minimatch: "exports.Minimatch = class { constructor() { throw new Error('Patterns of file operations are left out of this bundle: see esbuild.mjs.'); } };",
};

const leaveOut = {
  name: "leave-out",
  setup(build) {
    build.onResolve({ filter: /^(semver|minimatch)\b/ }, ({ path: name }) => (Object.hasOwn(leftOut, name) ? { path: name, namespace: "left-out" } : undefined));
    build.onLoad({ filter: /./, namespace: "left-out" }, ({ path: name }) => ({ contents: leftOut[name] }));
  },
};

if (process.argv.includes("--tests")) {
  // A test deleted from the source must not live on in the output.
  rmSync(path.join(root, "out/test"), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: readdirSync(path.join(root, "test"), { recursive: true })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `test/${name}`),
    outdir: "out/test",
    // All in one folder, so that each finds the extension at the same distance.
    entryNames: "[name]",
    outExtension: { ".js": ".cjs" },
    sourcemap: "inline",
    // Outside the editor there is no `vscode` module.
    alias: { vscode: path.join(root, "test/support/vscode.ts") },
    external: ["typescript"],
  });
} else {
  const minify = process.argv.includes("--minify");
  const sourcemap = minify ? false : "linked";
  await build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.js",
    external: ["vscode"],
    charset: "utf8",
    plugins: [leaveOut],
    minify,
    sourcemap,
  });
  await build({
    ...common,
    platform: "browser",
    target: "chrome122",
    entryPoints: ["src/memory/page/page.ts", "src/memory/page/page.css"],
    outdir: "dist/memoryHistory",
    // In a page there is no `vscode` module.
    alias: { vscode: path.join(root, "src/memory/page/vscode.ts") },
    minify,
    // The page may load nothing but its script and its style.
    sourcemap: minify ? false : "inline",
  });
}
