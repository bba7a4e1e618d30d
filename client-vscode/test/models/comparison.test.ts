import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { comparisonPage, distinctLabels } from "../../src/models/comparison";
import type { Evaluation } from "../../src/server/protocol";
import { speaking } from "../support/vscode";

const shop = { name: "shop", createdAt: "2025-11-03T12:00:00Z" };
const lib = { name: "lib", createdAt: "2025-11-03T12:00:00Z" };

function evaluation(changes: Partial<Evaluation> = {}): Evaluation {
  return {
    tokens: 20_011,
    top1: 0.63,
    top5: 0.8,
    bitsPerToken: 3.42,
    identifier: { top1: 0.5 },
    line: { exact: 0.2 },
    keystrokes: { saved: 0.31, precision: 0.7 },
    word: { top1: 0.6 },
    speed: { lineMicroseconds: { p50: 840 } },
    size: { modelBytes: 24 * 1024 ** 2 },
    perLanguage: [{ language: "go", tokens: 20_011, top1: 0.63 }],
    ...changes,
  };
}

/** The page for a reader: without what Markdown needs. */
function page(a: Evaluation, b: Evaluation): string {
  return comparisonPage(shop, lib, "/home/ana/shop", { a, b }).replace(/\\(.)/g, "$1");
}

suite("a comparison", () => {
  test("says first who is better, by what a person who types feels", () => {
    const [title, , verdict, , explanation] = page(evaluation(), evaluation({ keystrokes: { saved: 0.28, precision: 0.7 } })).split("\n");
    assert.equal(title, "# “shop” and “lib”");
    assert.equal(verdict, "“shop” is better here: it would have saved 31% of the keystrokes, “lib” 28%.");
    assert.match(explanation ?? "", /^Both have predicted the code in \/home\/ana\/shop, 20,011 symbols of it\./);
    assert.match(page(evaluation(), evaluation({ keystrokes: { saved: 0.4, precision: 0.7 } })), /“lib” is better here: it would have saved 40% of the keystrokes, “shop” 31%\./);
    assert.match(page(evaluation(), evaluation({ keystrokes: { saved: 0.3101, precision: 0.7 } })), /Both would have saved about as many keystrokes: 31%\./);
  });

  const rows: [string, Partial<Evaluation>, string][] = [
    ["what is equal", {}, "| Keystrokes saved | 31% | 31% | the same |"],
    ["what differs less than is printed", { top1: 0.6301 }, "| Next symbol right at the first guess | 63% | 63% | the same |"],
    ["more is better", { top1: 0.65 }, "| Next symbol right at the first guess | 63% | 65% | lib |"],
    ["less is better", { bitsPerToken: 3.5 }, "| Surprise at each symbol, in bits | 3.42 | 3.50 | shop |"],
    ["a smaller file", { size: { modelBytes: 1024 ** 2 } }, "| Size on disk | 24 MB | 1 MB | lib |"],
    ["a time that two measurements of one model could have", { speed: { lineMicroseconds: { p50: 900 } } }, "| Time for a line | 840 µs | 900 µs | the same |"],
    ["a time that is another one", { speed: { lineMicroseconds: { p50: 1900 } } }, "| Time for a line | 840 µs | 1.9 ms | shop |"],
  ];
  for (const [name, changes, row] of rows) {
    test(name, () => {
      assert.ok(page(evaluation(), evaluation(changes)).includes(row), page(evaluation(), evaluation(changes)));
    });
  }

  test("tells languages only if there are several", () => {
    assert.doesNotMatch(page(evaluation(), evaluation()), /By language/);
    const perLanguage = [{ language: "go", tokens: 1, top1: 0.5 }, { language: "python", tokens: 1, top1: 0.4 }, { language: "c", tokens: 1, top1: 0.4 }];
    const several = page(evaluation({ perLanguage }), evaluation({ perLanguage: perLanguage.slice(0, 2).map((entry) => ({ ...entry, top1: 0.4 })) }));
    assert.match(several, /## By language[^]*\| go \| 50% \| 40% \| shop \|\n\| python \| 40% \| 40% \| the same \|\n$/);
  });

  test("in Spanish", () => {
    assert.match(speaking("es", () => page(evaluation(), evaluation({ top1: 0.65 }))), /\| Símbolo siguiente acertado al primer intento \| 63\s% \| 65\s% \| lib \|/);
  });
});

test("versions of one name are told apart by when they were trained, to the second if need be", () => {
  const [first, second] = distinctLabels(shop, { ...shop, createdAt: "2025-11-04T12:00:00Z" });
  assert.match(first, /^shop, Nov 3, 2025, \d+:\d\d\s[AP]M$/);
  assert.match(second, /^shop, Nov 4/);
  assert.match(distinctLabels(shop, { ...shop, createdAt: "2025-11-03T12:00:09Z" })[1], /:09\s[AP]M$/);
});
