// npm run bench [-- [--json] [--only lane|watch|workbench] [--minutes N] [FOLDER]]: measures the server as users get it, on FOLDER or else on
// pinned public packages, and in that case writes server/docs/benchmarks.md. With --only it measures that part alone, and writes
// nothing: a page is of one run. What it fetches and builds stays in .cache/bench.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { benchWorkbench } from "./bench-workbench.mjs";
import { build } from "./build.mjs";
import { dotnet, Failure, main, npm, root, run, say, serverProgram } from "./lib.mjs";

const cache = path.join(root, ".cache", "bench");

// Permissively licensed packages whose sources are what somebody typed, in the parts named.
const packages = [
  { name: "three", version: "0.180.0", parts: ["src"] },
  { name: "webpack", version: "5.101.3", parts: ["lib"] },
  { name: "rxjs", version: "7.8.2", parts: ["src"] },
  { name: "svelte", version: "5.38.10", parts: ["src"] },
];

// What can be measured alone: "lane" is typing with a model of Ollama, "watch" is watching memory while nothing happens, "workbench" is
// the wait for the first completion in a window, which needs a browser and is measured only so.
const parts = ["lane", "watch", "workbench"];

// Those of the packages that make up 5 MB together.
const ofWorkbench = ["rxjs", "three"];

await main(import.meta.url, async (args) => {
  const { json, only, minutes, folder } = understood(args);
  if (only === "workbench") {
    const chosen = ofWorkbench.map((wanted) => packages.find(({ name }) => name === wanted));
    const folders = folder === undefined ? await fetchCorpus().then((corpus) => chosen.map(({ name, version }) => path.join(corpus, `${name}-${version}`))) : [folder];
    await benchWorkbench(folders, folder ?? chosen.map(({ name, version }) => `${name} ${version}`).join(", "), { json });
    return 0;
  }
  const { env } = await build();
  const { command } = await dotnet();
  const corpus = only === "watch" ? ["--described", "none"] : folder === undefined
    ? [await fetchCorpus(), "--described", packages.map(({ name, version }) => `${name} ${version}`).join(", "),
      ...(only === undefined ? ["--page", path.join(root, "server", "docs", "benchmarks.md")] : [])]
    : [folder];
  const part = only === undefined ? ["--hello", await publishHello(command, env)] : ["--only", only];
  await run(command, ["build", "tests/LlmAssist.Bench", "-c", "Release", "-v", "quiet"], { quiet: true, env });
  const { code } = await run(command, ["run", "--no-build", "-c", "Release", "--project", "tests/LlmAssist.Bench", "--",
    ...corpus, "--server", serverProgram, ...part, ...(minutes === undefined ? [] : ["--minutes", minutes]), ...(json ? ["--json"] : [])], { mayFail: true, env });
  return code;
});

function understood(args) {
  const rest = [...args];
  const value = (option) => (rest.includes(option) ? rest.splice(rest.indexOf(option), 2)[1] ?? "" : undefined);
  const only = value("--only");
  const minutes = value("--minutes");
  const names = rest.filter((arg) => !arg.startsWith("-"));
  const options = rest.filter((arg) => arg.startsWith("-") && arg !== "--json");
  const strange = [...options, ...names.slice(1), ...(only === undefined || parts.includes(only) ? [] : [`--only ${only}`.trim()]),
    ...(minutes === undefined || 0 < Number(minutes) ? [] : [`--minutes ${minutes}`.trim()])];
  if (strange.length !== 0) {
    throw new Failure(
      `Not understood: ${strange.join(" ")}. Expected: npm run bench [-- [--json] [--only ${parts.join("|")}] [--minutes N] FOLDER]`,
      `No se entiende: ${strange.join(" ")}. Se esperaba: npm run bench [-- [--json] [--only ${parts.join("|")}] [--minutes N] CARPETA]`);
  }
  const folder = names.length === 0 ? undefined : path.resolve(process.env.INIT_CWD ?? process.cwd(), names[0]);
  if (folder !== undefined && !(existsSync(folder) && statSync(folder).isDirectory())) {
    throw new Failure(
      `${folder} is not a folder. Expected one with source code in it.`,
      `${folder} no es una carpeta. Se esperaba una con código fuente.`);
  }
  return { json: rest.includes("--json"), only, minutes, folder };
}

// Packed rather than installed: no dependencies come along, and no package's own scripts run.
async function fetchCorpus() {
  const corpus = path.join(cache, "corpus");
  for (const { name, version, parts } of packages) {
    const target = path.join(corpus, `${name}-${version}`);
    if (existsSync(target)) {
      continue;
    }
    say(`Fetching ${name} ${version} ...`, `Descargando ${name} ${version} ...`);
    const work = path.join(cache, "work");
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    await npm(["pack", `${name}@${version}`, "--ignore-scripts", "--pack-destination", work], { quiet: true, cwd: work });
    const archive = readdirSync(work).find((file) => file.endsWith(".tgz"));
    await run("tar", ["-xzf", archive], { quiet: true, cwd: work });
    // Under its final name only when it is whole, so that an interrupted run leaves no half a corpus.
    for (const part of parts) {
      cpSync(path.join(work, "package", part), path.join(work, "whole", part), { recursive: true });
    }
    mkdirSync(corpus, { recursive: true });
    renameSync(path.join(work, "whole"), target);
    rmSync(work, { recursive: true, force: true });
  }
  return corpus;
}

// The least that a .NET program can do, to see how much of a start is ours.
async function publishHello(command, env) {
  const source = path.join(cache, "hello");
  const published = path.join(cache, "hello-published");
  const program = path.join(published, process.platform === "win32" ? "hello.exe" : "hello");
  if (!existsSync(program)) {
    mkdirSync(source, { recursive: true });
    writeFileSync(path.join(source, "hello.csproj"),
      `<Project Sdk="Microsoft.NET.Sdk">\n  <PropertyGroup>\n    <OutputType>Exe</OutputType>\n    <TargetFramework>net10.0</TargetFramework>\n    <InvariantGlobalization>true</InvariantGlobalization>\n  </PropertyGroup>\n</Project>\n`);
    writeFileSync(path.join(source, "Program.cs"), `System.Console.WriteLine("hello");\n`);
    await run(command, ["publish", source, "-c", "Release", "-o", published, "-v", "quiet"], { quiet: true, env });
  }
  return program;
}
