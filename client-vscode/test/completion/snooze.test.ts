import assert from "node:assert/strict";
import { test } from "node:test";
import { Snooze } from "../../src/completion/snooze";

const minute = 60_000;

test("lasts as long as was said, and tells when it begins and ends", () => {
  const world = new World();
  assert.equal(world.until, undefined);
  world.snooze.start(5);
  assert.equal(world.until, 5 * minute);
  world.pass(5 * minute - 1);
  assert.equal(world.until, 5 * minute);
  world.pass(1);
  assert.equal(world.until, undefined);
  assert.equal(world.changes, 2);
});

test("what was said last holds", () => {
  const world = new World();
  world.snooze.start(60);
  world.pass(10 * minute);
  world.snooze.start(5);
  world.pass(5 * minute);
  assert.equal(world.until, undefined);
  assert.equal(world.pending, 0);
});

test("can be ended before its time, and only once", () => {
  const world = new World();
  world.snooze.start(5);
  world.snooze.end();
  world.snooze.end();
  assert.equal(world.until, undefined);
  assert.equal(world.pending, 0);
  assert.equal(world.changes, 2);
});

test("is over when its time is, even if the timer slept with the machine", () => {
  const world = new World();
  world.snooze.start(5);
  world.sleep(8 * 60 * minute);
  assert.equal(world.until, undefined);
});

test("leaves no timer behind and tells nobody when the window closes", () => {
  const world = new World();
  world.snooze.start(5);
  world.snooze.dispose();
  assert.equal(world.pending, 0);
  assert.equal(world.changes, 1);
});

/** A clock that the test moves. */
class World {
  changes = 0;
  readonly snooze = new Snooze({
    now: () => this._now,
    later: (milliseconds, callback) => {
      const timer = { due: this._now + milliseconds, callback };
      this._timers.add(timer);
      return () => this._timers.delete(timer);
    },
    changed: () => this.changes++,
  });

  private _now = 0;
  private readonly _timers = new Set<{ due: number; callback: () => void }>();

  get until(): number | undefined {
    return this.snooze.until?.getTime();
  }

  get pending(): number {
    return this._timers.size;
  }

  pass(milliseconds: number): void {
    this._now += milliseconds;
    for (const timer of [...this._timers].filter(({ due }) => due <= this._now)) {
      this._timers.delete(timer);
      timer.callback();
    }
  }

  /** The clock goes on, and no timer does. */
  sleep(milliseconds: number): void {
    this._now += milliseconds;
  }
}
