// Makes the VSIX with the server inside, into ../artifacts.
//   npm run package                        for this machine, from the build in ../artifacts/llm-assist; needs .NET
//   npm run package -- --target linux-x64  for any machine of that kind; brings its own .NET
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

// The editor's names for platforms, and .NET's.
const runtimes = {
  "alpine-arm64": "linux-musl-arm64",
  "alpine-x64": "linux-musl-x64",
  "darwin-arm64": "osx-arm64",
  "darwin-x64": "osx-x64",
  "linux-arm64": "linux-arm64",
  "linux-armhf": "linux-arm",
  "linux-x64": "linux-x64",
  "win32-arm64": "win-arm64",
  "win32-x64": "win-x64",
};

const extension = path.resolve(import.meta.dirname, "..");
const artifacts = path.resolve(extension, "../artifacts");
const server = path.join(extension, "server");
const { values } = parseArgs({ options: { target: { type: "string" } } });
const target = values.target ?? ownTarget();
if (!Object.hasOwn(runtimes, target)) {
  fail(`the target is "${target}"; expected is one of ${Object.keys(runtimes).join(", ")}`);
}

const executable = path.join(server, target.startsWith("win32") ? "llm-assist.exe" : "llm-assist");
rmSync(server, { recursive: true, force: true });
if (values.target === undefined) {
  const built = path.join(artifacts, "llm-assist");
  if (!existsSync(built)) {
    fail(`there is no server in ${built}; build it first`);
  }
  cpSync(built, server, { recursive: true, filter: (file) => !/\.(pdb|xml)$/.test(file) });
} else {
  run("dotnet", [
    "publish", path.resolve(extension, "../server/LlmAssist.Server"), "--configuration", "Release",
    "--runtime", runtimes[target], "--self-contained", "true", "--output", server, "-p:DebugType=none",
  ], `; it needs the package Microsoft.NETCore.App.Runtime.${runtimes[target]}, which this machine's NuGet source may not have (see above). Without "--target" the package is for this machine, and needs .NET there`);
}
if (!existsSync(executable)) {
  fail(`the server for ${target} has no ${executable}`);
}
// The mode travels in the VSIX; a build on Windows has none to pass on.
chmodSync(executable, 0o755);

cpSync(path.resolve(extension, "../LICENSE"), path.join(extension, "LICENSE"));
run(process.execPath, [path.join(extension, "esbuild.mjs"), "--minify"]);
// The editor reads it at each start.
const mostBytes = 500_000;
const { size } = statSync(path.join(extension, "dist/extension.js"));
if (mostBytes < size) {
  fail(`dist/extension.js has ${size} bytes; expected are at most ${mostBytes}. Look at what it brings (esbuild's --analyze)`);
}

// The pictures are for the repository: the package, which brings none, has a README without them.
const readme = "dist/README.md";
const withPictures = readFileSync(path.join(extension, "README.md"), "utf8");
writeFileSync(path.join(extension, readme), withPictures.replace(/^!\[[^\]]*\]\(media\/[^)]*\)\r?\n(\r?\n)?/gm, ""));

const { version } = JSON.parse(readFileSync(path.join(extension, "package.json"), "utf8"));
// A package that needs .NET must not be taken for one that brings it.
const vsix = path.join(artifacts, `llm-assist-${version}-${target}${values.target === undefined ? "-needs-dotnet" : ""}.vsix`);
mkdirSync(artifacts, { recursive: true });
run(process.execPath, [
  vsce(), "package", "--target", target, "--no-dependencies", "--allow-missing-repository",
  "--no-rewrite-relative-links", "--readme-path", readme, "--out", vsix,
]);

function ownTarget() {
  // glibc's version is reported where glibc is; Alpine has none.
  const musl = process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime === undefined;
  const arch = process.arch === "arm" ? "armhf" : process.arch;
  return `${musl ? "alpine" : process.platform}-${arch}`;
}

// In this folder's node_modules or, in an npm workspace, in the one above.
function vsce() {
  const places = [extension, path.dirname(extension)].map((folder) => path.join(folder, "node_modules/@vscode/vsce/vsce"));
  return places.find((place) => existsSync(place)) ?? fail(`@vscode/vsce is in none of ${places.join(", ")}; run "npm install" first`);
}

function run(command, args, hint = "") {
  const { status, error } = spawnSync(command, args, { cwd: extension, stdio: "inherit" });
  if (error !== undefined || status !== 0) {
    fail(`"${path.basename(command)} ${args.join(" ")}" failed${error === undefined ? "" : `: ${error.message}`}${hint}`);
  }
}

function fail(message) {
  console.error(`package: ${message}.`);
  process.exit(1);
}
