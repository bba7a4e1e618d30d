import assert from "node:assert/strict";
import { test } from "node:test";
import { OtherLists } from "../../src/completion/otherLists";

test("until it is known, others do not; it is found out once a language", async () => {
  const world = new World({ go: false, typescript: true });
  assert.deepEqual(world.fill("go", "typescript"), [false, false]);
  await world.settled();
  assert.deepEqual(world.fill("go", "typescript"), [false, true]);
  assert.deepEqual(world.looked, ["go", "typescript"]);
});

test("who did not may have been starting, and is looked at again after a minute", async () => {
  const world = new World({ go: false });
  world.fill("go");
  await world.settled();
  world.answers.go = true;
  world.time += 59_999;
  assert.deepEqual(world.fill("go"), [false]);
  await world.settled();
  assert.deepEqual(world.looked, ["go"]);
  world.time += 1;
  assert.deepEqual(world.fill("go"), [false]);
  await world.settled();
  assert.deepEqual(world.fill("go"), [true]);
  world.time += 600_000;
  world.fill("go");
  assert.deepEqual(world.looked, ["go", "go"]);
});

test("a look that fails leaves it at what was known", async () => {
  const world = new World({});
  world.fill("go");
  await world.settled();
  assert.deepEqual(world.fill("go"), [false]);
});

class World {
  time = 0;
  readonly looked: string[] = [];
  private readonly _lists = new OtherLists<string>((language) => {
    this.looked.push(language);
    const answer = this.answers[language];
    return answer === undefined ? Promise.reject(new Error("failed")) : Promise.resolve(answer);
  }, () => this.time);

  constructor(readonly answers: Record<string, boolean>) {}

  fill(...languages: string[]): boolean[] {
    return languages.map((language) => this._lists.fill(language, language));
  }

  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
