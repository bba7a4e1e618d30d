import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationPage } from "../src/explanation";
import type { Explanation } from "../src/protocol";
import { speaking } from "./support/vscode";

const answered: Explanation = {
  accepted: { suggestions: 3, characters: 40 },
  uri: "file:///home/ana/shop/price%20list.ts",
  surface: "inline",
  lane: "pattern",
  items: [{ text: "total += price;\n  return total;", confidence: 0.915 }],
  filtered: [{ filter: "duplicateSuffix", text: "}" }],
  stages: [{ stage: "context", microseconds: 85 }, { stage: "predict", microseconds: 1215 }],
};

test("a page tells lane, text, filters and times", () => {
  assert.equal(explanationPage(answered), `# The last completion

| | |
|:--|:--|
| File | price list\\.ts |
| Shown as | ghost text |
| Answered by | the pattern model |

## Shown

Confidence 91.5%

\`\`\`
total += price;
  return total;
\`\`\`

## Filtered out

**repeats what stands after the cursor**

\`\`\`
}
\`\`\`

## Time

| | |
|:--|:--|
| read the surroundings | 85 µs |
| predict the line | 1\\.2 ms |
| Total | 1\\.3 ms |
`);
});

test("names that only a newer server knows are shown as they are", () => {
  const page = explanationPage({ ...answered, filtered: [{ filter: "tooBold", text: "}" }], stages: [{ stage: "dream", microseconds: 1 }] });
  assert.match(page, /\*\*tooBold\*\*/);
  assert.match(page, /\| dream \| 1 µs \|/);
});

test("silence tells its reason, and leaves out what is empty", () => {
  const silent: Explanation = { ...answered, lane: "none", why: "below minConfidence (0.31 < 0.5)", items: [], filtered: [], stages: [] };
  const page = explanationPage(silent);
  assert.match(page, /## Nothing was shown\n\nbelow minConfidence \\\(0\\\.31 \\< 0\\\.5\\\)/);
  assert.doesNotMatch(page, /Filtered|Time/);
});

test("silence without a reason still says something", () => {
  assert.match(explanationPage({ ...answered, items: [] }), /No source had a candidate\./);
});

test("before the first request", () => {
  assert.match(explanationPage(null), /No completion was asked for yet/);
});

test("in Spanish", () => {
  const page = speaking("es", () => explanationPage(answered));
  assert.match(page, /^# La última sugerencia\n/);
  assert.match(page, /Confianza: 91,5\s%/);
});

test("code with fences of its own stays one block", () => {
  const page = explanationPage({ ...answered, items: [{ text: "```js\n````\n```", confidence: 1 }] });
  assert.match(page, /\n`{5}\n```js\n````\n```\n`{5}\n/);
});

test("a name that is no proper URI is shown as it is", () => {
  assert.match(explanationPage({ ...answered, uri: "untitled:100%" }), /untitled:100%/);
});
