// What test runners write, read into { name, outcome, reason } with outcome passed, failed or skipped; and what is said
// about it. Runs nothing.
import { phrase } from "./lib.mjs";

/**
 * Visual Studio's test results (TRX): <UnitTestResult testName="..." outcome="Passed|Failed|NotExecuted|...">. Its writer
 * leaves no ">" in attributes, so a tag ends at the first one.
 */
export function testsInTrx(xml) {
  return [...xml.matchAll(/<UnitTestResult\b([^>]*?)(?:\/>|>([\s\S]*?)<\/UnitTestResult>)/g)].map(([, attributes, body = ""]) => {
    const outcome = { Passed: "passed", NotExecuted: "skipped" }[attribute(attributes, "outcome")] ?? "failed";
    const reason = [element(body, "Message"), outcome === "failed" ? element(body, "StackTrace") : ""].filter(Boolean).join("\n");
    return { name: attribute(attributes, "testName"), outcome, reason };
  });
}

/** What scripts/test-reporter.mjs writes. */
export function testsInLines(text) {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/**
 * What to print about all tests, and the exit code: 0 when some passed and none failed. When strict, to skip is to fail.
 * The last line is read by programs and therefore the same in every language.
 */
export function summary(tests, strict) {
  const of = (outcome) => tests.filter((each) => each.outcome === outcome);
  const passed = of("passed");
  const skipped = strict ? [] : of("skipped");
  const failed = strict ? [...of("failed"), ...of("skipped").map(forbidden)] : of("failed");
  const lines = [
    ...skipped.map(({ name, reason }) => `${phrase("skipped", "omitida")}: ${name} (${reason || phrase("no reason given", "sin motivo")})`),
    ...failed.map(({ name, reason }) => `\n${phrase("FAILED", "FALLÓ")}: ${name}\n${reason.replace(/^(?=.)/gm, "    ")}`),
  ];
  if (passed.length + failed.length === 0) {
    lines.push(phrase("Nothing was tested; that counts as a failure.", "No se probó nada; eso cuenta como fallo."));
  }
  lines.push(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return { lines, exitCode: failed.length === 0 && passed.length !== 0 ? 0 : 1 };
}

function forbidden({ name, reason }) {
  const why = phrase("Skipped, which LLMASSIST_REQUIRE_ALL=1 forbids", "Omitida, lo que LLMASSIST_REQUIRE_ALL=1 prohíbe");
  return { name, reason: `${why}: ${reason}` };
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
