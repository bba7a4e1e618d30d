// Whose work the server reports on: that of a command whose end the user waits for, which shows it itself, or the
// background's, which is training. Pure; client.ts feeds it.

import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type { Progress } from "../status/status";

export type WorkStep = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** A command that shows the progress of its work. */
export interface Foreground {
  /** Whether its work is a training, as all of the background's is. */
  readonly isTraining?: boolean;

  /** The percentage is 0 to 100. */
  report(message: string | undefined, percentage: number | undefined): void;
}

export class Works {
  // Commands whose work has not begun, in the order in which they were called.
  private readonly _expecting: Foreground[] = [];
  private readonly _foreground = new Map<ProgressToken, Foreground>();
  // In the order of their begin, those of commands too.
  private readonly _works = new Map<ProgressToken, Progress>();

  /** The last work: the background's if there is one, since of two at once the user knows about the one that they started. */
  get last(): Progress | undefined {
    const works = [...this._works];
    const background = works.filter(([token]) => !this._foreground.has(token));
    return (background.length === 0 ? works : background).at(-1)?.[1];
  }

  /** The trainings that can be canceled, the background's and those of commands. */
  get trainings(): ProgressToken[] {
    const isTraining = (token: ProgressToken): boolean => !this._foreground.has(token) || this._foreground.get(token)?.isTraining === true;
    return [...this._works].filter(([token, { cancellable }]) => cancellable && isTraining(token)).map(([token]) => token);
  }

  /**
   * The work that begins next is that of `foreground`: the protocol names no request in a progress, and the server
   * begins one as soon as it is asked. The answer is to be called when the command has ended.
   */
  expect(foreground: Foreground): () => void {
    this._expecting.push(foreground);
    return () => {
      const index = this._expecting.indexOf(foreground);
      if (index !== -1) {
        this._expecting.splice(index, 1);
      }
    };
  }

  /** Takes note of a step, and tells whether it is the background's. */
  follow(token: ProgressToken, step: WorkStep): boolean {
    if (step.kind === "begin") {
      const next = this._expecting.shift();
      if (next !== undefined) {
        this._foreground.set(token, next);
      }
    }

    this.record(token, step);
    const foreground = this._foreground.get(token);
    if (foreground === undefined) {
      return true;
    }

    if (step.kind === "end") {
      this._foreground.delete(token);
    } else {
      foreground.report(step.message, step.percentage);
    }

    return false;
  }

  private record(token: ProgressToken, step: WorkStep): void {
    const before = this._works.get(token);
    switch (step.kind) {
      case "begin":
        this._works.set(token, {
          title: step.title,
          percentage: step.percentage,
          cancellable: step.cancellable ?? false,
        });
        break;
      case "report":
        if (before !== undefined) {
          this._works.set(token, {
            title: before.title,
            percentage: step.percentage ?? before.percentage,
            cancellable: step.cancellable ?? before.cancellable,
          });
        }
        break;
      case "end":
        this._works.delete(token);
        break;
    }
  }
}
