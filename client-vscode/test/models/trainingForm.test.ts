import assert from "node:assert/strict";
import { test } from "node:test";
import { nameAfter, nameRemark, safeName } from "../../src/models/trainingForm";
import { patternModel } from "../support/samples";

test("a name as the server makes a file of it", () => {
  for (const [text, name] of [
    ["shop", "shop"],
    ["my shop", "my-shop"],
    ["Größe_2.1-β", "Größe_2.1-β"],
    ["a/b:c", "a-b-c"],
    [".hidden-", "hidden"],
    ["𝒳", ""],
    ["x".repeat(70), "x".repeat(64)],
  ] as const) {
    assert.equal(safeName(text), name);
  }
});

test("a model is called after its folder", () => {
  for (const [folder, name] of [
    ["/home/ana/my shop/", "my-shop"],
    ["C:\\code\\shop", "shop"],
    ["/", ""],
  ] as const) {
    assert.equal(nameAfter(folder), name);
  }
});

test("what is said about a name while it is typed", () => {
  const models = [patternModel()];
  const cases: [string, string[], RegExp | undefined, isError: boolean][] = [
    ["", ["/home/ana/shop"], undefined, false],
    ["  ", ["/home/ana/shop"], undefined, false],
    ["library", ["/home/ana/shop"], undefined, false],
    ["shop", ["/home/ana/shop"], /takes the place of “shop”/, false],
    ["shop", ["/home/ana/other"], /was trained on other code: \/home\/ana\/shop, \/home\/ana\/lib/, false],
    ["my shop", ["/home/ana/shop"], /“my shop” cannot be the name/, true],
    ["-shop", ["/home/ana/shop"], /cannot be the name/, true],
    ["x".repeat(65), ["/home/ana/shop"], /has 65 characters; expected are at most 64/, true],
  ];
  for (const [typed, folders, expected, isError] of cases) {
    const remark = nameRemark(typed, folders, models);
    assert.equal(remark?.isError ?? false, isError, typed);
    if (expected === undefined) {
      assert.equal(remark, undefined, typed);
    } else {
      assert.match(remark?.text ?? "", expected);
    }
  }
});
