// What runners write is understood, whatever characters it has, and counted by the rules.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { summary, testsInLines, testsInTrx } from "../results.mjs";

const trx = (attributes, body) => `<?xml version="1.0"?><TestRun><Results>
  <UnitTestResult executionId="1" ${attributes}${body === undefined ? " />" : `>${body}</UnitTestResult>`}
</Results></TestRun>`;

const trxRows = [
  ["passed", trx('testName="A.B(s: &quot;&lt;x&gt;&amp;&#xE9;&#10;&quot;)" outcome="Passed"'),
    { name: 'A.B(s: "<x>&é\n")', outcome: "passed", reason: "" }],
  ["skipped with its reason", trx('testName="A" outcome="NotExecuted"', "<Output><ErrorInfo><Message>no &lt;tool&gt;</Message></ErrorInfo></Output>"),
    { name: "A", outcome: "skipped", reason: "no <tool>" }],
  ["failed with message and stack", trx('testName="A" outcome="Failed"', "<Output><ErrorInfo><Message>1\n2</Message><StackTrace>at A</StackTrace></ErrorInfo></Output>"),
    { name: "A", outcome: "failed", reason: "1\n2\nat A" }],
  ["an outcome we do not know is a failure", trx('testName="A" outcome="Aborted"'), { name: "A", outcome: "failed", reason: "" }],
];

for (const [name, xml, expected] of trxRows) {
  test(`TRX: ${name}`, () => assert.deepEqual(testsInTrx(xml), [expected]));
}

test("TRX: neighbors are kept apart", () => {
  const both = trx('testName="A" outcome="Passed"') + trx('testName="B" outcome="Failed"', "<Output><Message>m</Message></Output>");
  assert.deepEqual(testsInTrx(both).map(({ name, outcome, reason }) => [name, outcome, reason]), [["A", "passed", ""], ["B", "failed", "m"]]);
});

const [passed, failed, skipped] = ["passed", "failed", "skipped"].map((outcome) => ({ name: outcome, outcome, reason: "why" }));
const summaryRows = [
  [[], false, "0 passed, 0 failed, 0 skipped", 1],
  [[passed], false, "1 passed, 0 failed, 0 skipped", 0],
  [[passed, skipped, skipped], false, "1 passed, 0 failed, 2 skipped", 0],
  [[passed, skipped], true, "1 passed, 1 failed, 0 skipped", 1],
  [[passed, failed], false, "1 passed, 1 failed, 0 skipped", 1],
  [[skipped], false, "0 passed, 0 failed, 1 skipped", 1],
];

for (const [tests, strict, last, exitCode] of summaryRows) {
  test(`summary: ${last}${strict ? ", strict" : ""}`, () => {
    const said = summary(tests, strict);
    assert.deepEqual([said.lines.at(-1), said.exitCode], [last, exitCode]);
    for (const each of tests.filter(({ outcome }) => outcome !== "passed")) {
      assert.ok(said.lines.some((line) => line.includes(each.name) && line.includes("why")), said.lines.join("\n"));
    }
  });
}

const reporterRows = [
  ["a test", "test('a', () => {});", [["a", "passed", /^$/]]],
  ["a failed test", "test('a', () => { throw new Error('broken'); });", [["a", "failed", /broken/]]],
  ["a skipped test", "test('a', { skip: 'no tool' }, () => {});", [["a", "skipped", /^no tool$/]]],
  ["a test to do", "test('a', { todo: true }, () => {});", [["a", "skipped", /^$/]]],
  ["a test in a suite", "suite('s', () => { test('a', () => {}); });", [["s > a", "passed", /^$/]]],
  ["a failed subtest", "test('a', async (t) => { await t.test('b', () => { throw new Error('broken'); }); });", [["a > b", "failed", /broken/]]],
  ["a file that cannot be loaded", "throw new Error('no file');", [["case.test.mjs", "failed", /no file/]]],
  ["a file without tests", "", []],
];

for (const [name, code, expected] of reporterRows) {
  test(`reporter: ${name}`, () => {
    const folder = mkdtempSync(path.join(tmpdir(), "llm-assist-reporter-"));
    try {
      writeFileSync(path.join(folder, "case.test.mjs"), `import { suite, test } from "node:test";\n${code}`);
      const reporter = pathToFileURL(fileURLToPath(new URL("../test-reporter.mjs", import.meta.url))).href;
      // Without the variables of the run that this test itself belongs to.
      const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...env } = process.env;
      const { stdout } = spawnSync(process.execPath, ["--test", `--test-reporter=${reporter}`, "case.test.mjs"], { cwd: folder, env, encoding: "utf8" });
      const found = testsInLines(stdout);
      assert.deepEqual(found.map((each) => [each.name, each.outcome]), expected.map(([label, outcome]) => [label, outcome]), stdout);
      expected.forEach(([, , reason], index) => assert.match(found[index].reason, reason));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
