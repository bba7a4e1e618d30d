// npm test [-- --filter NAME]: every test there is, over all runners. What is skipped is named with its reason;
// LLMASSIST_REQUIRE_ALL=1 makes that a failure. The last line is "N passed, N failed, N skipped".
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { install as installWorkbench } from "../client-vscode/workbench/install.mjs";
import { buildFakeOllama } from "./fake-ollama.mjs";
import { artifacts, dotnet, Failure, installPackages, main, npm, phrase, root, run, say, workspaces } from "./lib.mjs";
import { packagedClient } from "./package.mjs";
import { summary, testsInLines, testsInTrx } from "./results.mjs";

const folderOfResults = path.join(artifacts, "test-results");

/** Runs the tests, shows what the user should know, and answers the exit code. */
export async function test({ filter, endToEnd = true } = {}) {
  rmSync(folderOfResults, { recursive: true, force: true });
  mkdirSync(folderOfResults, { recursive: true });
  const tests = await csharpTests(filter, endToEnd);
  // A filter in dotnet's own language means nothing to the others.
  if (!isExpression(filter)) {
    tests.push(...await testsInFolder("scripts/test", filter));
    tests.push(...await unlessItFails("npm install", async () => {
      await installPackages();
      const found = [];
      for (const { folder } of workspaces().filter(({ manifest }) => manifest.scripts?.test !== undefined)) {
        found.push(...await nodeTests(folder, filter, (options) => npm(["test", "-w", folder], options)));
      }
      return found;
    }));
  }
  // These run the server as users get it, in clients that are not ours.
  const clients = "tests/EndToEnd";
  if (!isExpression(filter) && endToEnd && testFiles(clients, filter).length !== 0) {
    tests.push(...await unlessItFails("npm run build", async () => {
      await build();
      await buildFakeOllama();
      return testsInFolder(clients, filter);
    }));
  }
  // The packaged extension in the real workbench. What is missing to show it is said by the tests themselves.
  const workbench = "tests/Workbench";
  if (!isExpression(filter) && endToEnd && testFiles(workbench, filter).length !== 0) {
    tests.push(...await unlessItFails("npm run package", async () => {
      await buildFakeOllama();
      await packagedClient();
      await orWithoutIt(installWorkbench);
      // One at a time: two workbenches beside each other are slower than one after the other.
      return testsInFolder(workbench, filter, ["--test-concurrency=1"]);
    }));
  }
  const { lines, exitCode } = summary(tests, process.env.LLMASSIST_REQUIRE_ALL === "1");
  console.log(lines.join("\n"));
  return exitCode;
}

function isExpression(filter) {
  return filter !== undefined && /[=~|&]/.test(filter);
}

async function csharpTests(filter, endToEnd) {
  const { command, env } = await dotnet();
  const file = path.join(folderOfResults, "csharp.trx");
  const chosen = filter === undefined || isExpression(filter) ? filter : `FullyQualifiedName~${filter}`;
  const filters = [chosen, endToEnd ? undefined : "FullyQualifiedName!~EndToEnd"].filter((part) => part !== undefined);
  const args = ["test", "tests/LlmAssist.Tests", "-v", "quiet", "--logger", `trx;LogFileName=${path.basename(file)}`,
    "--results-directory", folderOfResults,
    // A test that hangs would hang everything without a word; this ends it and names it.
    "--blame-hang", "--blame-hang-timeout", "10m", "--blame-hang-dump-type", "none"];
  if (filters.length !== 0) {
    args.push("--filter", filters.map((part) => `(${part})`).join("&"));
  }
  return finished("LlmAssist.Tests", file, testsInTrx, () => run(command, args, { quiet: true, mayFail: true, env }));
}

// What prepares tests may fail too; that is a failure among the others, so that the counts still come last.
async function unlessItFails(name, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return [{ name, outcome: "failed", reason: error.message }];
  }
}

// What cannot be had here is no failure of a test; the tests that need it are skipped, and say so.
async function orWithoutIt(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    console.log(error.message);
  }
}

function testsInFolder(folder, filter, more = []) {
  const files = testFiles(folder, filter);
  return files.length === 0 ? [] : nodeTests(folder, filter, (options) => run(process.execPath, ["--test", ...more, ...files], options));
}

// Only files that have the filter's words in them can have a test of that name.
function testFiles(folder, filter = "") {
  return readdirSync(path.join(root, folder)).filter((file) => file.endsWith(".test.mjs")).map((file) => path.join(folder, file))
    .filter((file) => readFileSync(path.join(root, file), "utf8").includes(filter));
}

async function nodeTests(name, filter, start) {
  const file = path.join(folderOfResults, `${name.replace(/\W+/g, "-")}.jsonl`);
  // Handed down by the environment, because a workspace's own script decides how its tests are built and started. Node
  // takes no filter there; all run, and those that were not asked for are not counted.
  const reporter = pathToFileURL(path.join(root, "scripts/test-reporter.mjs")).href;
  const options = [process.env.NODE_OPTIONS, `--test-reporter=${reporter}`, `--test-reporter-destination=${JSON.stringify(file)}`];
  const env = { ...(await dotnet()).env, NODE_OPTIONS: options.filter(Boolean).join(" ") };
  const parse = (text) => testsInLines(text).filter((test) => filter === undefined || test.name.includes(filter));
  return finished(name, file, parse, () => start({ quiet: true, mayFail: true, env }));
}

// Runs one runner and reads what it wrote. A runner that fails without a failed test (it crashed, or did not compile) is
// itself what failed.
async function finished(name, file, parse, start) {
  say(`Testing ${name} ...`, `Probando ${name} ...`);
  const started = performance.now();
  const { code, output } = await start();
  const tests = existsSync(file) ? parse(readFileSync(file, "utf8")) : [];
  if (code !== 0 && !tests.some(({ outcome }) => outcome === "failed")) {
    const runner = `${name} (${phrase("exit code", "código de salida")} ${code})`;
    tests.push({ name: runner, outcome: "failed", reason: output.trim() });
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say(`  ${tests.length} tests in ${seconds} s`, `  ${tests.length} pruebas en ${seconds} s`);
  return tests;
}

await main(import.meta.url, (args) => {
  const at = args.indexOf("--filter");
  const filter = at < 0 ? undefined : args[at + 1];
  if (args.length !== (at < 0 ? 0 : 2) || filter === "") {
    throw new Failure(
      `Not understood: ${args.join(" ")}. Expected: npm test [-- --filter NAME]`,
      `No se entiende: ${args.join(" ")}. Se esperaba: npm test [-- --filter NOMBRE]`);
  }
  return test({ filter });
});
