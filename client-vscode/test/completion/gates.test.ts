import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { closedGate, obstacles, type Situation, type Surface, type Surroundings } from "../../src/completion/gates";
import { speaking } from "../support/vscode";

const open: Situation = {
  snoozedUntil: undefined,
  source: "auto",
  language: "go",
  servesLanguage: true,
  shows: { inline: true, list: true },
  cursors: 1,
};
const snoozedUntil = new Date(2025, 10, 3, 14, 35);

suite("closedGate", () => {
  const cases: [string, Surface, Partial<Situation>, RegExp | undefined][] = [
    ["nothing in the way", "inline", {}, undefined],
    ["snoozed", "inline", { snoozedUntil }, /snoozed until 2:35\sPM/],
    ["snoozed, the list too", "list", { snoozedUntil }, /snoozed until 2:35\sPM/],
    ["switched off", "list", { source: "off" }, /completion\.source is “off”/],
    ["another source", "inline", { source: "pattern" }, undefined],
    ["the language", "inline", { servesLanguage: false }, /for go, .*completion\.languages/],
    ["the surface", "inline", { shows: { inline: false, list: true } }, /completion\.inline/],
    ["the other surface", "list", { shows: { inline: false, list: true } }, undefined],
    ["the list's surface", "list", { shows: { inline: true, list: false } }, /completion\.list/],
    ["several cursors", "inline", { cursors: 3 }, /3 cursors/],
    ["several cursors in the list", "list", { cursors: 3 }, undefined],
    ["what ends by itself is told first", "inline", { snoozedUntil, source: "off", servesLanguage: false, cursors: 2 }, /snoozed/],
  ];
  for (const [name, surface, changes, expected] of cases) {
    test(name, () => {
      const gate = closedGate(surface, { ...open, ...changes });
      if (expected === undefined) {
        assert.equal(gate, undefined);
      } else {
        assert.match(gate ?? "", expected);
      }
    });
  }

  test("in Spanish, with the clock of the country", () => {
    assert.match(speaking("es", () => closedGate("inline", { ...open, snoozedUntil })) ?? "", /pospuestas hasta las 14:35/);
  });
});

suite("obstacles", () => {
  const free: Surroundings = { isRunning: true, drawsGhostText: true, isTrusted: true, place: open };
  const cases: [string, Partial<Surroundings>, RegExp[]][] = [
    ["none", {}, []],
    ["none without an editor", { place: undefined }, []],
    ["no server", { isRunning: false }, [/server is not running/]],
    ["no file", { place: "unserved" }, [/is no file/]],
    ["the editor", { drawsGhostText: false }, [/editor\.inlineSuggest\.enabled/]],
    ["trust is no obstacle, and told all the same", { isTrusted: false }, [/not trusted/]],
    ["what closes both surfaces is told once", { place: { ...open, source: "off" } }, [/completion\.source/]],
    ["each surface for a reason of its own", { place: { ...open, cursors: 2, shows: { inline: true, list: false } } }, [/2 cursors/, /completion\.list/]],
    ["the server first", { isRunning: false, drawsGhostText: false, place: { ...open, snoozedUntil } }, [/not running/, /snoozed/, /inlineSuggest/]],
  ];
  for (const [name, changes, expected] of cases) {
    test(name, () => {
      const found = obstacles({ ...free, ...changes });
      assert.equal(found.length, expected.length, found.join("\n"));
      expected.forEach((pattern, index) => assert.match(found[index] ?? "", pattern));
    });
  }
});
