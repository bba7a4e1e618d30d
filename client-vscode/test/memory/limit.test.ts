import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { limitIn, limitProblem, limitRows, typedLimit } from "../../src/memory/limit";
import { setMemoryLimit } from "../../src/memory/limitPick";
import type { ServerConnection } from "../../src/server/client";
import { rehearse, script } from "../support/editor";
import { memoryReport, model } from "../support/samples";
import { speaking } from "../support/vscode";

const gigabyte = 1024 ** 3;
const title = "How much memory may models use together?";

suite("limitRows", () => {
  test("names each limit, whom it suits, and marks the one of now", () => {
    assert.deepEqual(lines(6 * gigabyte), [
      "  Low | 2 GB | for machines with 8 GB of memory",
      "✓ Medium | 6 GB | for machines with 16 GB of memory · recommended for this one",
      "  High | 12 GB | for machines with 32 GB of memory",
      "  Very High | 24 GB | for machines with 64 GB of memory",
      "  A number of gigabytes… |  | ",
    ]);
  });

  test("a number that has no name is a number", () => {
    assert.equal(lines(5.5 * gigabyte).filter((line) => line.startsWith("✓")).join(), "✓ A number of gigabytes… | 5.5 GB | ");
  });

  function lines(limitBytes: number): string[] {
    return limitRows(memoryReport([], { limitBytes })).map(({ isCurrent, label, description, detail }) =>
      `${isCurrent ? "✓" : " "} ${label} | ${description} | ${detail}`);
  }
});

suite("a limit that is typed", () => {
  const cases: [string, number | undefined][] = [
    ["6", 6], ["5.5", 5.5], ["5,5", 5.5], [" 12 GB ", 12], ["0,25gb", 0.25], [".5", 0.5], ["4096", 4096],
    ["0", undefined], ["0.0", undefined], ["4096.1", undefined], ["-1", undefined], ["", undefined], ["six", undefined], ["1.000,5", undefined],
    ["6 MB", undefined], ["1e3", undefined], ["Infinity", undefined], ["5.", undefined],
  ];
  for (const [typed, expected] of cases) {
    test(`"${typed}"`, () => {
      assert.equal(limitIn(typed), expected);
      assert.equal(limitProblem(typed) === undefined, expected !== undefined);
    });
  }

  test("what stands in the box at first is one", () => {
    for (const language of ["en", "es"] as const) {
      assert.equal(limitIn(speaking(language, () => typedLimit(5.5 * gigabyte))), 5.5);
      assert.equal(limitIn(speaking(language, () => typedLimit(4096 * gigabyte))), 4096);
    }
  });

  test("the sentence writes numbers as its language does", () => {
    assert.equal(speaking("es", () => limitProblem("seis")),
      "«seis» no es un límite; se espera un número de gigabytes mayor que 0 y hasta 4096, por ejemplo 7,5.");
  });
});

suite("Set Memory Limit", () => {
  test("a named limit is kept, then told to the server", async () => {
    rehearse({ rows: ["High"] });
    await run(1);
    assert.deepEqual(script.record, [`list: ${title}`, "user: llmAssist.memory.limit = high", "server: high", "says: Set."]);
  });

  test("and so is a number", async () => {
    rehearse({ rows: ["number"], texts: ["7,5"] });
    await run(1);
    assert.deepEqual(script.record, [
      `list: ${title}`, `box: ${title} 6`, "user: llmAssist.memory.limit = 7.5", "server: 7.5", "says: Set.",
    ]);
  });

  test("leaving the list or the box keeps nothing", async () => {
    for (const rows of [[], ["number"]]) {
      rehearse({ rows });
      await run(1);
      assert.ok(!script.record.some((line) => line.startsWith("user:")));
    }
  });

  test("what takes more than the new limit does not pass unseen", async () => {
    rehearse({ rows: ["Low"], buttons: ["Show Memory"] });
    await run(3);
    assert.deepEqual(script.record.slice(-2), [
      "asks: Set. Models take 3.0 GB at present: those that are neither pinned nor in use are now unloaded. | Show Memory",
      "command: llmAssist.showMemory",
    ]);
  });

  test("nor that nothing is held within it", async () => {
    rehearse({ rows: ["Low"] });
    script.settings.globalValue["llmAssist.memory.enabled"] = false;
    await run(3);
    assert.equal(script.record.at(-1), "asks: Set. It has no effect while the setting llmAssist.memory.enabled is off. | Open Setting");
  });
});

/** Runs the command with a server whose models take so many gigabytes. */
async function run(gigabytes: number): Promise<void> {
  let limitBytes = 6 * gigabyte;
  const request = (id: string, { limit }: { limit: string | number }): Promise<unknown> => {
    if (id === "llmAssist.memory.status") {
      return Promise.resolve(memoryReport([model({ bytes: gigabytes * gigabyte })], { limitBytes }));
    }

    script.record.push(`server: ${limit}`);
    limitBytes = limit === "low" ? 2 * gigabyte : 12 * gigabyte;
    return Promise.resolve({ limitBytes, message: "Set." });
  };
  await setMemoryLimit({ request } as unknown as ServerConnection);
}
