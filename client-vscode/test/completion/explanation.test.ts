import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationPage } from "../../src/completion/explanation";
import type { Explanation } from "../../src/server/protocol";
import { speaking } from "../support/vscode";

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
| Asked for | ghost text |
| Answered by | the pattern model |
| Accepted so far | suggestions\\: 3, characters\\: 40 |

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

test("what stands in the way now comes first, and is reason enough before the first request", () => {
  const page = explanationPage(answered, ["Snoozed until *noon*.", "No server."]);
  assert.ok(page.startsWith("# What stands in the way now\n\n- Snoozed until \\*noon\\*\\.\n- No server\\.\n\n# The last completion\n"), page);
  assert.equal(explanationPage(null, ["No server."]), "# What stands in the way now\n\n- No server\\.\n");
});

test("the model of Ollama has its own section", () => {
  const page = explanationPage({
    ...answered,
    lane: "ollama",
    items: [{ text: "total += price;", confidence: 0.8, lane: "ollama" }],
    filtered: [],
    stages: [],
    ollama: {
      model: "qwen2.5-coder:1.5b",
      outcome: "answered",
      delayMilliseconds: 120,
      firstTextMilliseconds: 340,
      waitedMilliseconds: 1500,
      text: "total += price;\n}",
      ended: "lineCount",
    },
  });
  assert.equal(page, `# The last completion

| | |
|:--|:--|
| File | price list\\.ts |
| Asked for | ghost text |
| Answered by | the model of Ollama |
| Accepted so far | suggestions\\: 3, characters\\: 40 |

## Shown

Confidence 80%, the model of Ollama

\`\`\`
total += price;
\`\`\`

## Ollama

| | |
|:--|:--|
| Model | qwen2\\.5\\-coder\\:1\\.5b |
| Outcome | answered in time |
| Asked after a pause of | 120 ms |
| First text after | 340 ms |
| Waited for it | 1\\.5 s |
| Ended | with as many lines as were asked for |

It had produced:

\`\`\`
total += price;
}
\`\`\`
`);
});

test("a model of Ollama that could not be asked tells why, and nothing that it does not know", () => {
  const page = explanationPage({
    ...answered,
    ollama: { model: "qwen2.5-coder:1.5b", outcome: "unavailable", why: "Ollama does not answer.", delayMilliseconds: 0, waitedMilliseconds: 0 },
  });
  assert.match(page, /\| Outcome \| could not be asked \|/);
  assert.match(page, /\n\nOllama does not answer\\\.\n\n## Filtered/);
  assert.doesNotMatch(page, /pause|First text|Waited|Ended|It had produced|undefined/);
});

test("no model to ask has no name", () => {
  const page = explanationPage({
    ...answered,
    ollama: { outcome: "unavailable", why: "No model.", delayMilliseconds: 0, waitedMilliseconds: 0 },
  });
  assert.match(page, /\| Outcome \| could not be asked \|/);
  assert.doesNotMatch(page, /Model \||undefined/);
});

test("every outcome and every end is put in words", () => {
  const outcomes = ["answered", "joined", "late", "unavailable", "failed", "declined", "superseded"];
  const ends = ["stopToken", "singleLine", "lineCount", "suffix", "bracket", "repetition", "scope"];
  const words = (outcome: string, ended: string): string => explanationPage({
    ...answered,
    ollama: { model: "m", outcome, delayMilliseconds: 0, waitedMilliseconds: 0, ended },
  });
  for (const [outcome, ended] of [...outcomes.map((name) => [name, "new"] as const), ...ends.map((name) => ["new", name] as const)]) {
    // In Spanish, because no name reads there as a word.
    const page = speaking("es", () => words(outcome, ended));
    assert.doesNotMatch(page, new RegExp(`\\| ${outcome === "new" ? ended : outcome} \\|`));
    // What only a newer server knows is shown as it is.
    assert.match(page, /\| new \|/);
  }
});

test("every stage of today's server is put in words", () => {
  const stages = ["cache", "context", "words", "predict", "ollama", "judge", "filter"].map((stage) => ({ stage, microseconds: 1 }));
  const page = speaking("es", () => explanationPage({ ...answered, stages }));
  for (const { stage } of stages) {
    assert.doesNotMatch(page, new RegExp(`\\| ${stage} \\|`));
  }
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
  assert.match(explanationPage({ ...answered, uri: "untitled:100%" }), /untitled\\:100%/);
});
