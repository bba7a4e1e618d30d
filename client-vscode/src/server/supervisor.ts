// Keeps one server running: starts it, starts it again after a crash with growing pauses, gives up when it keeps
// crashing. Knows nothing of LSP or of the editor, so that every order of events can be tested.

/** A server that has been started and answers. */
export interface RunningServer {
  /** Ends the server; never rejects. */
  stop(): Promise<void>;
}

export type SupervisorState<S extends RunningServer> =
  | { kind: "stopped" }
  | { kind: "starting" }
  | { kind: "running"; server: S }
  /** Crashed; will be started again by itself. */
  | { kind: "waiting"; milliseconds: number }
  /** Will not be started again by itself. */
  | { kind: "failed"; error: unknown };

export interface SupervisorParts<S extends RunningServer> {
  /**
   * Starts a server and resolves when it answers. Rejects with the reason if it does not, and then leaves no process
   * behind. `crashed` is called at most once, and only after the promise was resolved.
   */
  launch(crashed: () => void, abort: AbortSignal): Promise<S>;
  changed(state: SupervisorState<S>): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back once; the answer cancels it. */
  later(milliseconds: number, callback: () => void): () => void;
}

const pauses = [500, 2_000, 8_000, 30_000];
const crashWindow = 5 * 60_000;

/**
 * The pause before the next start, or undefined when it is time to give up.
 * @param crashes when the server crashed, the latest last, in milliseconds
 */
export function pauseAfter(crashes: readonly number[]): number | undefined {
  const latest = crashes.at(-1) ?? 0;
  const recent = crashes.filter((crash) => latest - crash < crashWindow).length;
  return pauses[recent - 1];
}

/** The server that the crashes of the last minutes say is not worth starting again. */
export class KeepsCrashingError extends Error {}

export class Supervisor<S extends RunningServer> {
  private _state: SupervisorState<S> = { kind: "stopped" };
  private _crashes: number[] = [];
  private _cancelPause: (() => void) | undefined;

  // Aborted as soon as somebody asks for something else than what is being done.
  private _wish = new AbortController();

  // Invariant: starts and stops run one after the other in this chain, so there is never more than one server.
  private _work: Promise<void> = Promise.resolve();

  constructor(private readonly _parts: SupervisorParts<S>) {}

  get state(): SupervisorState<S> {
    return this._state;
  }

  /** Ends the server if there is one and starts a new one, with all crashes forgiven. */
  restart(): Promise<void> {
    const wish = this.supersede();
    this._crashes = [];
    return this.enqueue(async () => {
      await this.end();
      await this.begin(wish);
    });
  }

  stop(): Promise<void> {
    this.supersede();
    return this.enqueue(() => this.end());
  }

  private supersede(): AbortSignal {
    this._cancelPause?.();
    this._cancelPause = undefined;
    this._wish.abort();
    this._wish = new AbortController();
    return this._wish.signal;
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    this._work = this._work.then(step, step);
    return this._work;
  }

  private async begin(wish: AbortSignal): Promise<void> {
    if (wish.aborted) {
      return;
    }

    this.enter({ kind: "starting" });
    let server: S | undefined;
    let crashed = false;
    const onCrash = (): void => {
      crashed = true;
      if (server !== undefined) {
        this.crashed(server, wish);
      }
    };

    try {
      server = await this._parts.launch(onCrash, wish);
    } catch (error) {
      // After an abort the step that asked for it comes next and leads to its own state.
      this.enter(wish.aborted ? { kind: "stopped" } : { kind: "failed", error });
      return;
    }

    this.enter({ kind: "running", server });
    // It may have died before anybody here knew its name.
    if (crashed) {
      this.crashed(server, wish);
    }
  }

  private async end(): Promise<void> {
    const before = this._state;
    // First, so that the end of the server is not taken for a crash.
    this.enter({ kind: "stopped" });
    if (before.kind === "running") {
      await before.server.stop();
    }
  }

  private crashed(server: S, wish: AbortSignal): void {
    if (this._state.kind !== "running" || this._state.server !== server) {
      return;
    }

    // Somebody asked for something else meanwhile; a pause begun now would outlive that wish.
    if (wish.aborted) {
      this.enter({ kind: "stopped" });
      return;
    }

    this._crashes.push(this._parts.now());
    const pause = pauseAfter(this._crashes);
    if (pause === undefined) {
      this.enter({ kind: "failed", error: new KeepsCrashingError() });
      return;
    }

    this.enter({ kind: "waiting", milliseconds: pause });
    this._cancelPause = this._parts.later(pause, () => {
      this._cancelPause = undefined;
      void this.enqueue(() => this.begin(wish));
    });
  }

  private enter(state: SupervisorState<S>): void {
    this._state = state;
    this._parts.changed(state);
  }
}
