import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { comparisonPage, distinctLabels } from "../../src/models/comparison";
import type { Evaluation } from "../../src/server/protocol";
import { speaking } from "../support/vscode";

const shop = { name: "shop", createdAt: "2025-11-03T12:00:00Z", folders: ["/home/ana/shop"] };
const lib = { name: "lib", createdAt: "2025-11-03T12:00:00Z", folders: ["/home/ana/lib"] };

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
    assert.equal(verdict, "“shop” is better here: it would have saved 31.0% of the keystrokes, “lib” 28.0%.");
    assert.match(explanation ?? "", /^“shop” is of Nov 3, 2025, .*M, “lib” of Nov 3, 2025, .*M\. Both have predicted the code in \/home\/ana\/shop, 20,011 symbols of it\./);
    assert.match(page(evaluation(), evaluation({ keystrokes: { saved: 0.4, precision: 0.7 } })), /“lib” is better here: it would have saved 40\.0% of the keystrokes, “shop” 31\.0%\./);
    assert.match(page(evaluation(), evaluation({ keystrokes: { saved: 0.3101, precision: 0.7 } })), /Both would have saved about as many keystrokes: 31\.0%\./);
  });

  const rows: [string, Partial<Evaluation>, string][] = [
    ["what is equal", {}, "| Keystrokes saved | 31.0% | 31.0% | equal |"],
    ["what differs less than is printed", { top1: 0.6301 }, "| Next symbol right at the first guess | 63.0% | 63.0% | equal |"],
    ["more is better", { top1: 0.65 }, "| Next symbol right at the first guess | 63.0% | 65.0% | lib |"],
    ["less is better", { bitsPerToken: 3.5 }, "| Surprise at each symbol, in bits | 3.42 | 3.50 | shop |"],
    ["a smaller file", { size: { modelBytes: 1024 ** 2 } }, "| Size on disk | 24 MB | 1 MB | lib |"],
    ["a time that two measurements of one model could have", { speed: { lineMicroseconds: { p50: 900 } } }, "| Time for a line | 840 µs | 900 µs | equal |"],
    ["a time that is another one", { speed: { lineMicroseconds: { p50: 1900 } } }, "| Time for a line | 840 µs | 1.9 ms | shop |"],
  ];
  for (const [name, changes, row] of rows) {
    test(name, () => {
      assert.ok(page(evaluation(), evaluation(changes)).includes(row), page(evaluation(), evaluation(changes)));
    });
  }

  test("says who has seen the answers", () => {
    const caution = (folder: string, first: string[], second: string[]): string | undefined =>
      comparisonPage({ ...shop, folders: first }, { ...lib, folders: second }, folder, { a: evaluation(), b: evaluation() })
        .split("\n")[4]?.replace(/\\(.)/g, "$1").split(" symbols of it.")[1];
    assert.equal(caution("/code/new", shop.folders, lib.folders), "");
    assert.equal(caution("/home/ana/shop", shop.folders, lib.folders), " “shop” has learned from this folder and “lib” has not: that alone makes it look better.");
    assert.equal(caution("/home/ana/lib/parts", shop.folders, lib.folders), " “lib” has learned from this folder and “shop” has not: that alone makes it look better.");
    assert.equal(caution("C:\\Code\\shop", ["c:\\code"], ["c:/code/shop/"]), " Both have learned from this folder, and look better than they would on new code.");
    assert.equal(caution("/home/ana/shopping", shop.folders, []), "");
  });

  test("tells languages only if there are several", () => {
    assert.doesNotMatch(page(evaluation(), evaluation()), /By language/);
    const perLanguage = [{ language: "go", tokens: 1, top1: 0.5 }, { language: "python", tokens: 1, top1: 0.4 }, { language: "c", tokens: 1, top1: 0.4 }];
    const several = page(evaluation({ perLanguage }), evaluation({ perLanguage: perLanguage.slice(0, 2).map((entry) => ({ ...entry, top1: 0.4 })) }));
    assert.match(several, /## By language[^]*\| go \| 50\.0% \| 40\.0% \| shop \|\n\| python \| 40\.0% \| 40\.0% \| equal \|\n$/);
  });

  test("in Spanish", () => {
    assert.match(speaking("es", () => page(evaluation(), evaluation({ top1: 0.65 }))), /\| Símbolo siguiente acertado al primer intento \| 63,0\s% \| 65,0\s% \| lib \|/);
  });
});

test("versions of one name are told apart by which is the newer", () => {
  const later = { ...shop, createdAt: "2025-11-03T12:00:09Z" };
  assert.deepEqual(distinctLabels(shop, later), ["shop (older)", "shop (newer)"]);
  assert.deepEqual(distinctLabels(later, shop), ["shop (newer)", "shop (older)"]);
  assert.deepEqual(distinctLabels(shop, lib), ["shop", "lib"]);
});
