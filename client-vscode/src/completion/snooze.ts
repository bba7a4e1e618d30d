// Suggestions held back for a while, in this window. Knows no clock but the one it is given.

export interface SnoozeParts {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once; the answer cancels it. */
  later(milliseconds: number, callback: () => void): () => void;
  /** It has begun, was prolonged, or has ended. */
  changed(): void;
}

export class Snooze {
  private _until: number | undefined;
  private _cancelEnd: (() => void) | undefined;

  constructor(private readonly _parts: SnoozeParts) {}

  /** When suggestions come back; undefined while they are there. */
  get until(): Date | undefined {
    // A timer stands still while the machine sleeps; the clock does not.
    return this._until === undefined || this._until <= this._parts.now() ? undefined : new Date(this._until);
  }

  /** From now on, whatever was said before. */
  start(minutes: number): void {
    const milliseconds = minutes * 60_000;
    this._cancelEnd?.();
    this._until = this._parts.now() + milliseconds;
    this._cancelEnd = this._parts.later(milliseconds, () => this.end());
    this._parts.changed();
  }

  end(): void {
    this.dispose();
    if (this._until !== undefined) {
      this._until = undefined;
      this._parts.changed();
    }
  }

  /** Nobody is told any more. */
  dispose(): void {
    this._cancelEnd?.();
    this._cancelEnd = undefined;
  }
}
