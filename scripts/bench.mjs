// npm run bench [-- [--json] [--only lane|watch|workbench] [--minutes N] [FOLDER]]: measures the server as users get it, on FOLDER or else on
// pinned public packages, and in that case writes server/docs/benchmarks.md. With --only it measures that part alone, and writes
// nothing: a page is of one run. What it fetches and builds stays in .cache/bench.
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { benchWorkbench } from "./bench-workbench.mjs";
import { build } from "./build.mjs";
import { corporaFor, described, fetchCorpora } from "./corpora.mjs";
import { dotnet, Failure, main, root, run, say, serverProgram } from "./lib.mjs";

const cache = path.join(root, ".cache", "bench");
const corpusFolder = path.join(cache, "corpus");

// Permissively licensed, and what somebody typed.
const packages = corporaFor("bench");

// What can be measured alone: "lane" is typing with a model of Ollama, "watch" is watching memory while nothing happens, "workbench" is
// the wait for the first completion in a window, which needs a browser and is measured only so.
const parts = ["lane", "watch", "workbench"];

// Those of the packages that make up 5 MB together.
const ofWorkbench = ["rxjs", "three"];

await main(import.meta.url, async (args) => {
  const { json, only, minutes, folder } = understood(args);
  if (only === "workbench") {
    const chosen = ofWorkbench.map((wanted) => packages.find(({ npm }) => npm === wanted));
    const folders = folder === undefined ? await fetchCorpora(chosen, corpusFolder) : [folder];
    await benchWorkbench(folders, folder ?? described(chosen), { json });
    return 0;
  }
  const { env } = await build();
  const { command } = await dotnet();
  const corpus = only === "watch" ? ["--described", "none"] : folder === undefined
    ? [await fetchCorpora(packages, corpusFolder).then(() => corpusFolder), "--described", described(packages),
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
