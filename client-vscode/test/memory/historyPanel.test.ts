// When the panel asks the server, and what it tells its page.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, suite, test } from "node:test";
import { MemoryHistoryPanel } from "../../src/memory/historyPanel";
import type { ServerView } from "../../src/status/status";
import { panels, rehearse, Uri } from "../support/editor";
import { status } from "../support/samples";

suite("MemoryHistoryPanel", () => {
  beforeEach(() => {
    rehearse();
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  });
  afterEach(() => mock.timers.reset());

  test("there is one panel, and a restored one is it", async () => {
    const { panel } = opened();
    panel.show();
    assert.equal(panels.length, 1);
    assert.equal(panels[0]?.revealed, 1);

    await panel.deserializeWebviewPanel(panels[0] as never);
    assert.equal(panels[0]?.isDisposed, true);
    panel.show();
    assert.equal(panels.length, 2);
  });

  test("the page gets what it asks for, and nothing before", async () => {
    const { asked, wish } = opened();
    assert.deepEqual(asked, []);
    await wish({ hours: 6 });
    await wish({ hours: 7 });
    await wish("hours");
    assert.deepEqual(asked, [6]);
    assert.deepEqual(posted().map(({ kind, hours }) => [kind, hours]), [["history", 6]]);
  });

  test("it follows the server, at most every ten seconds and only where something changed", async () => {
    const { asked, wish, report } = opened();
    await wish({ hours: 24 });
    for (let changes = 0; changes < 5; changes++) {
      report({ kind: "reporting", status: status({}, []), progress: undefined });
      report({ kind: "reporting", status: status(), progress: undefined });
    }

    await pass(9_999);
    assert.equal(asked.length, 1);
    await pass(1);
    assert.equal(asked.length, 2);

    report({ kind: "reporting", status: status(), progress: undefined });
    await pass(60_000);
    assert.equal(asked.length, 2);
  });

  test("out of sight it asks nothing", async () => {
    const { asked, wish, report } = opened();
    await wish({ hours: 24 });
    (panels[0] ?? assert.fail()).visible = false;
    report({ kind: "reporting", status: status(), progress: undefined });
    await pass(60_000);
    assert.equal(asked.length, 1);
  });

  test("while the server starts the page waits for it", async () => {
    const { asked, wish, report } = opened({ kind: "starting" });
    await wish({ hours: 24 });
    assert.deepEqual(asked, []);
    report({ kind: "reporting", status: status(), progress: undefined });
    await pass(0);
    assert.deepEqual(asked, [24]);
  });

  test("what went wrong is told on the page", async () => {
    const { wish } = opened({ kind: "stopped" }, () => Promise.reject(new Error("It does not run.")));
    await wish({ hours: 24 });
    assert.deepEqual(posted(), [{ kind: "trouble", message: "It does not run." }]);
  });

  test("of two questions the answer to the last counts", async () => {
    const answers: (() => void)[] = [];
    const { wish } = opened(undefined, () => new Promise((resolve) => answers.push(() => resolve({ samples: [], events: [] }))));
    await wish({ hours: 24 });
    await wish({ hours: 1 });
    answers[1]?.();
    await settled();
    answers[0]?.();
    await settled();
    assert.deepEqual(posted().map(({ hours }) => hours), [1]);
  });
});

function opened(first: ServerView = { kind: "silent" }, answer: () => Promise<unknown> = () => Promise.resolve({ samples: [], events: [] })) {
  const asked: number[] = [];
  const followers: ((view: ServerView) => void)[] = [];
  const server = {
    view: first,
    request: (_: string, { hours }: { hours: number }) => {
      asked.push(hours);
      return answer();
    },
    onDidChangeView: (callback: (view: ServerView) => void) => {
      followers.push(callback);
      return { dispose: () => undefined };
    },
  };
  const panel = new MemoryHistoryPanel(Uri.file("/extension") as never, server as never);
  panel.show();
  return {
    panel,
    asked,
    wish: async (message: unknown) => {
      panels[0]?.receive(message);
      await settled();
    },
    report: (view: ServerView) => {
      server.view = view;
      followers.forEach((callback) => callback(view));
    },
  };
}

function posted(): { kind: string; hours?: number }[] {
  return panels[0]?.posted as { kind: string; hours?: number }[];
}

async function pass(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await settled();
}

// Promises that are resolved already have run their course then.
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
