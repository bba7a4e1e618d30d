import assert from "node:assert/strict";
import { test } from "node:test";
import { Works, type Foreground } from "../../src/server/work";

const begin = { kind: "begin", title: "Work", cancellable: true } as const;
const half = { kind: "report", message: "layer 2", percentage: 50 } as const;
const end = { kind: "end" } as const;

test("work that no command waits for is the background's", () => {
  const works = new Works();
  assert.ok(works.follow("a", begin));
  assert.deepEqual(works.last, { title: "Work", percentage: undefined, cancellable: true });
  assert.ok(works.follow("a", half));
  assert.deepEqual(works.last, { title: "Work", percentage: 50, cancellable: true });
  assert.deepEqual(works.trainings, ["a"]);
  assert.ok(works.follow("a", end));
  assert.equal(works.last, undefined);
  assert.deepEqual(works.trainings, []);
});

test("the last of the background's works is shown, and again the one before it", () => {
  const works = new Works();
  works.follow("a", begin);
  works.follow("b", { ...begin, title: "More", cancellable: false });
  assert.equal(works.last?.title, "More");
  assert.deepEqual(works.trainings, ["a"]);
  works.follow("b", end);
  assert.equal(works.last?.title, "Work");
});

test("the work of a command is shown by it alone, and a training that runs stays the background's", () => {
  const works = new Works();
  const { foreground, reports } = recorder();
  works.follow("training", begin);
  works.expect(foreground);
  assert.equal(works.follow("pull", begin), false);
  assert.equal(works.follow("training", half), true);
  assert.equal(works.follow("pull", half), false);
  assert.deepEqual(works.trainings, ["training"]);
  assert.deepEqual(reports, [[undefined, undefined], ["layer 2", 50]]);
  assert.equal(works.follow("training", end), true);
  assert.deepEqual(works.last, { title: "Work", percentage: 50, cancellable: true });
  // A download is not a training, even when it is all that there is.
  assert.deepEqual(works.trainings, []);
  assert.equal(works.follow("pull", end), false);
  assert.equal(works.last, undefined);
  // The token is forgotten.
  assert.equal(works.follow("pull", half), true);
  assert.equal(reports.length, 2);
});

test("a training that a command waits for is one as well", () => {
  const works = new Works();
  works.expect({ ...recorder().foreground, isTraining: true });
  works.expect(recorder().foreground);
  works.follow("training", begin);
  works.follow("pull", begin);
  assert.deepEqual(works.trainings, ["training"]);
});

test("two commands have their work in the order of their calls", () => {
  const works = new Works();
  const [first, second] = [recorder(), recorder()];
  works.expect(first.foreground);
  works.expect(second.foreground);
  works.follow("a", begin);
  works.follow("b", begin);
  works.follow("b", half);
  assert.equal(first.reports.length, 1);
  assert.equal(second.reports.length, 2);
});

test("a command that ended without work takes none from others", () => {
  const works = new Works();
  const { foreground, reports } = recorder();
  const forget = works.expect(foreground);
  forget();
  assert.ok(works.follow("a", begin));
  assert.deepEqual(reports, []);
  // A second call changes nothing.
  forget();
});

test("steps of a work whose begin was not seen are let pass", () => {
  const works = new Works();
  assert.ok(works.follow("a", half));
  assert.ok(works.follow("a", end));
  assert.equal(works.last, undefined);
});

function recorder(): { foreground: Foreground; reports: [string | undefined, number | undefined][] } {
  const reports: [string | undefined, number | undefined][] = [];
  return { foreground: { report: (message, percentage) => reports.push([message, percentage]) }, reports };
}
