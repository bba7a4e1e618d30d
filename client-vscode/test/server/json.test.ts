import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationPage } from "../../src/completion/explanation";
import { withoutNulls } from "../../src/server/json";
import type { Explanation, ServerStatus } from "../../src/server/protocol";
import { statusText } from "../../src/status/status";
import { status } from "../support/samples";

test("a member that is null is a member that is missing", () => {
  const cases: [unknown, unknown][] = [
    [null, null],
    [0, 0],
    ["null", "null"],
    [{ a: null, b: 0, c: "", d: false }, { b: 0, c: "", d: false }],
    [{ a: { b: null, c: 1 } }, { a: { c: 1 } }],
    [[{ a: null }, null], [{}, null]],
  ];
  for (const [value, expected] of cases) {
    assert.deepEqual(withoutNulls(value), expected);
  }
});

test("a server that cannot read the system's memory writes null", () => {
  const { memory } = status();
  const blind = { ...status(), memory: { ...memory, systemTotalBytes: null, systemAvailableBytes: null, systemUsedPercent: null } };
  const read = withoutNulls(blind) as ServerStatus;
  assert.equal(statusText({ kind: "reporting", status: read, progress: undefined }, "full"), "$(chip) LLM Assist · 1");
});

test("an explanation without a reason has null for it", () => {
  const silent = {
    uri: "file:///a.ts", surface: "inline", lane: "none", why: null,
    items: [], filtered: [], stages: [], accepted: { suggestions: 0, characters: 0 },
  };
  assert.match(explanationPage(withoutNulls(silent) as Explanation), /No source had a candidate/);
});
