import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { KeepsCrashingError, pauseAfter, Supervisor, type RunningServer } from "../../src/server/supervisor";

suite("pauseAfter", () => {
  const minute = 60_000;
  const cases: [string, number[], number | undefined][] = [
    ["the first crash", [0], 500],
    ["the second", [0, 1], 2_000],
    ["the third", [0, 1, 2], 8_000],
    ["the fourth", [0, 1, 2, 3], 30_000],
    ["the fifth within five minutes", [0, 1, 2, 3, 4], undefined],
    ["old crashes are forgotten", [0, 1, 2, 3, 6 * minute], 500],
    ["one exactly five minutes old is old", [0, 5 * minute], 500],
    ["a crash every two minutes goes on", [0, 2 * minute, 4 * minute, 6 * minute, 8 * minute], 8_000],
  ];
  for (const [name, crashes, expected] of cases) {
    test(name, () => assert.equal(pauseAfter(crashes), expected));
  }
});

suite("Supervisor", () => {
  test("starts and stops", async () => {
    const world = new World();
    const started = world.supervisor.restart();
    await world.launched(1);
    world.launches[0]?.succeed();
    await started;
    await world.supervisor.stop();
    assert.deepEqual(world.history, ["stopped", "starting", "running", "stopped"]);
    assert.equal(world.alive, 0);
  });

  test("a crash is followed by a pause and a new start", async () => {
    const world = await World.running();
    world.launches[0]?.crash();
    assert.deepEqual(world.recent(), ["waiting 500"]);
    world.passPause();
    await world.launched(2);
    world.launches[1]?.succeed();
    await world.settled();
    assert.deepEqual(world.recent(), ["starting", "running"]);
  });

  test("gives up after the fifth crash, and a restart forgives", async () => {
    const world = await World.running();
    for (let crash = 1; crash <= 4; crash++) {
      world.launches[crash - 1]?.crash();
      world.passPause();
      await world.launched(crash + 1);
      world.launches[crash]?.succeed();
      await world.settled();
    }

    world.recent();
    world.launches[4]?.crash();
    assert.deepEqual(world.recent(), ["failed"]);
    const { state } = world.supervisor;
    assert.ok(state.kind === "failed" && state.error instanceof KeepsCrashingError);
    assert.equal(world.pause, undefined);

    const restarted = world.supervisor.restart();
    await world.launched(6);
    world.launches[5]?.succeed();
    await restarted;
    world.recent();
    world.launches[5]?.crash();
    assert.deepEqual(world.recent(), ["waiting 500"]);
  });

  test("a failed start is not tried again by itself", async () => {
    const world = new World();
    const started = world.supervisor.restart();
    await world.launched(1);
    world.launches[0]?.fail(new Error("no such file"));
    await started;
    assert.deepEqual(world.history, ["stopped", "starting", "failed"]);
    assert.equal(world.pause, undefined);
  });

  test("a restart during a start aborts it; one server results", async () => {
    const world = new World();
    void world.supervisor.restart();
    await world.launched(1);
    const again = world.supervisor.restart();
    assert.equal(world.launches[0]?.aborted, true);
    await world.launched(2);
    world.launches[1]?.succeed();
    await again;
    assert.equal(world.launches.length, 2);
    assert.equal(world.alive, 1);
    assert.equal(world.supervisor.state.kind, "running");
  });

  test("of several wishes in a row only the last is carried out", async () => {
    const world = new World();
    void world.supervisor.restart();
    void world.supervisor.restart();
    const last = world.supervisor.restart();
    await world.launched(1);
    world.launches[0]?.succeed();
    await last;
    assert.equal(world.launches.length, 1);
    assert.equal(world.alive, 1);
  });

  test("a start that succeeds although it was aborted is ended", async () => {
    const world = new World({ heedsAbort: false });
    void world.supervisor.restart();
    await world.launched(1);
    const stopped = world.supervisor.stop();
    world.launches[0]?.succeed();
    await stopped;
    assert.equal(world.alive, 0);
    assert.equal(world.supervisor.state.kind, "stopped");
  });

  test("a stop during the pause leaves nothing behind", async () => {
    const world = await World.running();
    world.launches[0]?.crash();
    await world.supervisor.stop();
    assert.equal(world.pause, undefined);
    assert.equal(world.supervisor.state.kind, "stopped");
    assert.equal(world.launches.length, 1);
  });

  test("the end of a server that was asked to end is no crash", async () => {
    const world = await World.running({ crashesWhenStopped: true });
    await world.supervisor.stop();
    assert.equal(world.pause, undefined);
    assert.equal(world.supervisor.state.kind, "stopped");
  });

  test("a server that dies right after its first answer is started again", async () => {
    const world = new World();
    const started = world.supervisor.restart();
    await world.launched(1);
    world.launches[0]?.succeed();
    world.launches[0]?.crash();
    await started;
    assert.deepEqual(world.history, ["stopped", "starting", "running", "waiting 500"]);
  });

  test("the same server does not crash twice", async () => {
    const world = await World.running();
    world.launches[0]?.crash();
    world.launches[0]?.crash();
    assert.deepEqual(world.recent(), ["waiting 500"]);
  });

  test("any order of events leaves at most one server, and none after a stop", async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const world = new World({ heedsAbort: seed % 2 === 0 });
      const random = generator(seed);
      for (let step = 0; step < 40; step++) {
        const launch = world.launches.at(-1);
        switch (Math.floor(random() * 7)) {
          case 0: void world.supervisor.restart(); break;
          case 1: void world.supervisor.stop(); break;
          case 2: launch?.succeed(); break;
          case 3: launch?.fail(new Error("seeded")); break;
          case 4: launch?.crash(); break;
          case 5: world.passPause(); break;
          default: await world.settled(); break;
        }

        assert.ok(world.alive <= 1, `seed ${seed}, step ${step}`);
      }

      const stopped = world.supervisor.stop();
      world.launches.at(-1)?.fail(new Error("seeded"));
      await stopped;
      assert.equal(world.alive, 0, `seed ${seed}`);
      assert.equal(world.supervisor.state.kind, "stopped", `seed ${seed}`);
      assert.equal(world.pause, undefined, `seed ${seed}`);
    }
  });
});

/** A machine on which starts end, servers crash and time passes when the test says so. */
class World {
  readonly launches: Launch[] = [];
  readonly history: string[] = [];
  readonly supervisor: Supervisor<Launch>;
  alive = 0;
  pause: (() => void) | undefined;

  private _time = 0;

  constructor(readonly habits: { heedsAbort?: boolean; crashesWhenStopped?: boolean } = {}) {
    this.supervisor = new Supervisor<Launch>({
      launch: (crashed, abort) => {
        const launch = new Launch(this, crashed, abort);
        this.launches.push(launch);
        return launch.promise;
      },
      changed: (state) => {
        this.history.push(state.kind === "waiting" ? `waiting ${state.milliseconds}` : state.kind);
      },
      now: () => this._time++,
      later: (_milliseconds, callback) => {
        this.pause = callback;
        return () => {
          this.pause = undefined;
        };
      },
    });
  }

  /** A world in which the first server runs and the history is empty. */
  static async running(habits = {}): Promise<World> {
    const world = new World(habits);
    const started = world.supervisor.restart();
    await world.launched(1);
    world.launches[0]?.succeed();
    await started;
    world.recent();
    return world;
  }

  /** What happened since the last call. */
  recent(): string[] {
    return this.history.splice(0);
  }

  passPause(): void {
    const callback = this.pause;
    this.pause = undefined;
    callback?.();
  }

  async launched(count: number): Promise<void> {
    await this.settled();
    assert.equal(this.launches.length, count);
  }

  /** All that needs no further event has happened: promises are done before the event loop turns. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

class Launch implements RunningServer {
  readonly promise: Promise<Launch>;
  private _phase: "starting" | "alive" | "dead" = "starting";
  private _lived = false;
  private _resolve!: (launch: Launch) => void;
  private _reject!: (error: Error) => void;

  constructor(private readonly _world: World, private readonly _crashed: () => void, private readonly _abort: AbortSignal) {
    this.promise = new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
    if (_world.habits.heedsAbort !== false) {
      _abort.addEventListener("abort", () => this.fail(new Error("aborted")));
    }
  }

  get aborted(): boolean {
    return this._abort.aborted;
  }

  succeed(): void {
    if (this._phase === "starting") {
      this._phase = "alive";
      this._lived = true;
      this._world.alive++;
      this._resolve(this);
    }
  }

  fail(error: Error): void {
    if (this._phase === "starting") {
      this._phase = "dead";
      this._reject(error);
    }
  }

  /** Told as often as the test says so, but only of a server that has lived. */
  crash(): void {
    this.die();
    if (this._lived) {
      this._crashed();
    }
  }

  stop(): Promise<void> {
    if (this._world.habits.crashesWhenStopped === true) {
      this.crash();
    }

    this.die();
    return Promise.resolve();
  }

  private die(): void {
    if (this._phase === "alive") {
      this._phase = "dead";
      this._world.alive--;
    }
  }
}

// Mulberry32: the same numbers for the same seed on every machine.
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
