// A reporter for node:test: one JSON object a line for every test that ended, for scripts/results.mjs to read.
import path from "node:path";
import { inspect } from "node:util";

export default async function* lines(events) {
  const names = [];
  const said = new Map(); // by file: what it wrote to stderr, the only word of a file that cannot be loaded
  for await (const { type, data } of events) {
    if (type === "test:start") {
      names.length = data.nesting;
      names.push(data.name);
    } else if (type === "test:stderr") {
      said.set(data.file, (said.get(data.file) ?? "") + data.message);
    } else if (type === "test:pass" && isTest(data)) {
      // Without a reason "skip" and "todo" are true or an empty string.
      const skipped = data.skip ?? data.todo;
      const outcome = skipped === undefined || skipped === false ? "passed" : "skipped";
      yield line(names, data, outcome, typeof skipped === "string" ? skipped : "");
    } else if (type === "test:fail" && data.details.error.failureType !== "subtestsFailed") {
      const { error } = data.details;
      yield line(names, data, "failed", isTest(data) ? inspect(error.cause ?? error) : said.get(data.file) ?? inspect(error));
    }
  }
}

// A suite is not a test; neither is a file, which node reports as one when it has none or cannot be loaded.
function isTest(data) {
  return data.details.type !== "suite" && data.name !== data.file;
}

function line(names, data, outcome, reason) {
  const own = data.name === data.file ? path.relative("", data.name) : data.name;
  const name = [...names.slice(0, data.nesting), own].join(" > ");
  return `${JSON.stringify({ name, outcome, reason })}\n`;
}
