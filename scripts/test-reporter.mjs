// A reporter for node:test: one JSON object a line for every test that ended, for scripts/test.mjs to count and to show.
import { inspect } from "node:util";

export default async function* lines(events) {
  const names = [];
  for await (const { type, data } of events) {
    if (type === "test:start") {
      names.length = data.nesting;
      names.push(data.name);
    }
    // A suite is not a test; neither is a file, which node reports as one when it holds none or when it cannot be loaded.
    const suite = data.details?.type === "suite";
    if (type === "test:pass" && !suite && data.name !== data.file) {
      const skipped = data.skip ?? data.todo;
      const outcome = skipped === undefined || skipped === false ? "passed" : "skipped";
      yield line(names, data, outcome, typeof skipped === "string" ? skipped : data.todo ? "todo" : "");
    }
    // That a suite or a file failed only repeats that a test in it did, unless it failed by itself.
    const repeats = data.details?.error?.failureType === "subtestsFailed";
    if (type === "test:fail" && !repeats) {
      const error = data.details.error;
      yield line(names, data, "failed", inspect(error.cause ?? error));
    }
  }
}

function line(names, data, outcome, reason) {
  const name = [...names.slice(0, data.nesting), data.name].join(" > ");
  return `${JSON.stringify({ name, outcome, reason })}\n`;
}
