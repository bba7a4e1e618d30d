// npm test [-- --filter NAME]: every test there is, over all runners. What is skipped is named with its reason;
// LLMASSIST_REQUIRE_ALL=1 makes that a failure. The last line is "N passed, N failed, N skipped".
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { artifacts, dotnet, Failure, installPackages, main, npm, phrase, root, run, say, workspaces } from "./lib.mjs";

const results = path.join(artifacts, "test-results");

/** Runs the tests, shows what the user should know, and answers the exit code: 0 when some passed and none failed. */
export async function test({ filter, endToEnd = true } = {}) {
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const ended = await csharpTests(filter, endToEnd);
  await installPackages();
  for (const { folder, manifest } of workspaces()) {
    if (manifest.scripts?.test !== undefined) {
      ended.push(...await nodeTests(folder, filter));
    }
  }

  const strict = process.env.LLMASSIST_REQUIRE_ALL === "1";
  const of = (outcome) => ended.filter((each) => each.outcome === outcome);
  const passed = of("passed");
  const skipped = strict ? [] : of("skipped");
  const failed = strict ? [...of("failed"), ...of("skipped").map(forbidden)] : of("failed");
  for (const { name, reason } of skipped) {
    say(`skipped: ${name} (${reason || "no reason given"})`, `omitida: ${name} (${reason || "sin motivo"})`);
  }
  for (const { name, reason } of failed) {
    console.log(`\n${phrase("FAILED", "FALLÓ")}: ${name}\n${reason.replace(/^/gm, "    ")}`);
  }
  if (passed.length + failed.length === 0) {
    say("Nothing was tested; that counts as a failure.", "No se probó nada; eso cuenta como fallo.");
  }
  // Read by programs, therefore the same in every language.
  console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length === 0 && passed.length !== 0 ? 0 : 1;
}

function forbidden({ name, reason }) {
  return { name, outcome: "failed", reason: `${phrase("Skipped, which LLMASSIST_REQUIRE_ALL=1 forbids", "Omitida, lo que LLMASSIST_REQUIRE_ALL=1 prohíbe")}: ${reason}` };
}

async function csharpTests(filter, endToEnd) {
  const { command, env } = await dotnet();
  const file = path.join(results, "csharp.trx");
  // A word alone means a part of the full name; anything with an operator is dotnet's own language.
  const chosen = filter === undefined || /[=~|&]/.test(filter) ? filter : `FullyQualifiedName~${filter}`;
  const filters = [chosen, endToEnd ? undefined : "FullyQualifiedName!~EndToEnd"].filter((part) => part !== undefined);
  const args = ["test", "tests/LlmAssist.Tests", "-v", "quiet", "--logger", `trx;LogFileName=${path.basename(file)}`, "--results-directory", results];
  if (filters.length !== 0) {
    args.push("--filter", filters.map((part) => `(${part})`).join("&"));
  }
  return finished("LlmAssist.Tests", file, testsInTrx, () => run(command, args, { quiet: true, mayFail: true, env }));
}

function nodeTests(folder, filter) {
  const file = path.join(results, `${path.basename(folder)}.jsonl`);
  // Handed down by the environment, because the workspace's own script decides how its tests are built and started.
  const options = [process.env.NODE_OPTIONS,
    `--test-reporter=${pathToFileURL(path.join(root, "scripts/test-reporter.mjs")).href}`,
    `--test-reporter-destination=${JSON.stringify(file)}`,
    filter === undefined ? undefined : `--test-name-pattern=${JSON.stringify(filter)}`];
  const env = { NODE_OPTIONS: options.filter(Boolean).join(" ") };
  return finished(folder, file, testsInLines, () => npm(["test", "-w", folder], { quiet: true, mayFail: true, env }));
}

// Runs one runner and reads what it wrote. A runner that fails without a failed test (it crashed, or did not compile) is
// itself what failed.
async function finished(name, file, parse, start) {
  say(`Testing ${name} ...`, `Probando ${name} ...`);
  const started = performance.now();
  const { code, output } = await start();
  const ended = existsSync(file) ? parse(readFileSync(file, "utf8")) : [];
  if (code !== 0 && !ended.some(({ outcome }) => outcome === "failed")) {
    ended.push({ name: `${name} (${phrase("exit code", "código de salida")} ${code})`, outcome: "failed", reason: output.trim() });
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const count = (outcome) => ended.filter((each) => each.outcome === outcome).length;
  say(`  ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped in ${seconds} s`,
    `  ${count("passed")} superadas, ${count("failed")} fallidas, ${count("skipped")} omitidas en ${seconds} s`);
  return ended;
}

// Visual Studio's test results: <UnitTestResult testName="..." outcome="Passed|Failed|NotExecuted|...">. Its writer leaves
// no ">" in attributes, so an element ends at the first one.
function testsInTrx(xml) {
  return [...xml.matchAll(/<UnitTestResult\b([^>]*?)(?:\/>|>([\s\S]*?)<\/UnitTestResult>)/g)].map(([, attributes, body = ""]) => {
    const outcome = { Passed: "passed", NotExecuted: "skipped" }[attribute(attributes, "outcome")] ?? "failed";
    const reason = [element(body, "Message"), outcome === "failed" ? element(body, "StackTrace") : ""].filter(Boolean).join("\n");
    return { name: attribute(attributes, "testName"), outcome, reason };
  });
}

function attribute(text, name) {
  return unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? "");
}

function element(text, name) {
  return unescaped(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(text)?.[1] ?? "");
}

function unescaped(text) {
  const names = { lt: "<", gt: ">", quot: "\"", apos: "'", amp: "&" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|quot|apos|amp));/gi, (_, hex, decimal, name) =>
    name === undefined ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) : names[name.toLowerCase()]);
}

function testsInLines(text) {
  const tests = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  // Node reports what a name filter leaves out as skipped.
  return tests.filter(({ outcome, reason }) => outcome !== "skipped" || reason !== "test name does not match pattern");
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
