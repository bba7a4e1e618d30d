// Work that the user has asked for and waits for.

import * as vscode from "vscode";
import type { ServerConnection } from "../server/client";

type Shown = NonNullable<Parameters<ServerConnection["request"]>[2]>;

/** Shows that something takes long, how far it is, and a button to cancel it. */
export async function waitingFor<T>(title: string, work: (shown: Shown) => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return await vscode.window.withProgress(options, (progress, cancellation) => {
    let reached = 0;
    return work({
      cancellation,
      report: (message, percentage) => {
        // The bar only grows; a download of several layers may begin anew with each.
        const increment = Math.max(0, (percentage ?? 0) - reached);
        reached += increment;
        progress.report({ increment, ...message === undefined ? {} : { message } });
      },
    });
  });
}
