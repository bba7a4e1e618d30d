// The server of this window: one process, one language client, what it reports and what can be asked of it. When to
// start and to restart is decided in supervisor.ts, which program to run in serverPath.ts.

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ErrorCodes,
  ExecuteCommandRequest,
  LanguageClient,
  LSPErrorCodes,
  ResponseError,
  RevealOutputChannelOn,
  State,
  TransportKind,
  WorkDoneProgressCancelNotification,
  type ClientCapabilities,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
} from "vscode-languageclient/node";
import { documentSelector } from "../completion/surfaces";
import { paletteCommands } from "../window/paletteCommands";
import { withoutNulls } from "./json";
import { experimentalCapabilities, statusNotification, updateSettingRequest, type ServerCommands, type ServerStatus, type SettingUpdate } from "./protocol";
import { findServer, judgeVersion, type VersionRun } from "./serverPath";
import { keepAnswer, onSettingsChanged, settingAt, settings } from "./settings";
import type { Progress, ServerView } from "../status/status";
import { KeepsCrashingError, Supervisor, type RunningServer, type SupervisorState } from "./supervisor";
import { UserError, type Remedy } from "../window/userError";
import { Works, type Foreground } from "./work";

const runtimeDownload = "https://dotnet.microsoft.com/download/dotnet/10.0";

// A cold start from a slow disk behind a virus scanner, and more.
const startPatience = 30_000;

// Commands that change nothing.
const questions: ReadonlySet<keyof ServerCommands> = new Set([
  "llmAssist.models.list",
  "llmAssist.models.compare",
  "llmAssist.memory.status",
  "llmAssist.memory.history",
  "llmAssist.completion.explain",
] as const);

export class ServerConnection implements vscode.Disposable {
  private readonly _supervisor: Supervisor<RunningClient>;
  private readonly _viewChanged = new vscode.EventEmitter<ServerView>();
  private readonly _failed = new vscode.EventEmitter<UserError>();
  private readonly _modelsChanged = new vscode.EventEmitter<void>();
  private readonly _toldVersions = new Set<string>();
  private _view: ServerView = { kind: "stopped" };

  /** The view and whatever follows it. */
  readonly onDidChangeView = this._viewChanged.event;

  /** The server does not run and will not be started again by itself. */
  readonly onDidFail = this._failed.event;

  /** A command may have changed which models there are, or what they take. */
  readonly onDidChangeModels = this._modelsChanged.event;

  constructor(
    private readonly _extension: vscode.ExtensionContext,
    private readonly _log: vscode.LogOutputChannel,
    private readonly _middleware: Middleware,
  ) {
    this._supervisor = new Supervisor<RunningClient>({
      launch: (crashed, abort) => this.launch(crashed, abort),
      changed: (state) => this.follow(state),
      now: () => performance.now(),
      later: (milliseconds, callback) => {
        const timer = setTimeout(callback, milliseconds);
        return () => clearTimeout(timer);
      },
    });
  }

  get view(): ServerView {
    return this._view;
  }

  /** Starts the server, in place of the one that runs if any. Never rejects: how it went is in the view. */
  restart(): Promise<void> {
    return this._supervisor.restart();
  }

  stop(): Promise<void> {
    return this._supervisor.stop();
  }

  /**
   * Calls a command of the server. Rejects with a UserError, or with CancellationError if it was cancelled. With
   * `shown` the caller shows the progress of the command's work, and can cancel it.
   */
  async request<Id extends keyof ServerCommands>(
    id: Id,
    argument: ServerCommands[Id]["argument"],
    shown?: Foreground & { cancellation: vscode.CancellationToken },
  ): Promise<ServerCommands[Id]["answer"]> {
    const { state } = this._supervisor;
    if (state.kind !== "running") {
      throw new UserError(vscode.l10n.t("The LLM Assist server is not running. Restart it, or look into the log for the reason."));
    }

    const { server } = state;
    const forget = shown === undefined ? undefined : server.expect(shown);
    try {
      const parameters = { command: id, arguments: [argument] };
      const answer: unknown = await server.client.sendRequest(ExecuteCommandRequest.type, parameters, shown?.cancellation);
      return withoutNulls(answer) as ServerCommands[Id]["answer"];
    } catch (error) {
      throw this.told(id, error);
    } finally {
      forget?.();
      // Also when it failed: others may have been unloaded for a load that failed then.
      if (!questions.has(id)) {
        this._modelsChanged.fire();
      }
    }
  }

  /** Asks the server to end the trainings under way. */
  async cancelTraining(): Promise<void> {
    if (this._supervisor.state.kind === "running") {
      await this._supervisor.state.server.cancelTraining();
    }
  }

  dispose(): void {
    this._viewChanged.dispose();
    this._failed.dispose();
    this._modelsChanged.dispose();
  }

  private async launch(crashed: () => void, abort: AbortSignal): Promise<RunningClient> {
    const file = this.serverFile();
    const version = await checkVersion(file, abort);
    this._log.info(`Server: ${file}, ${version}`);

    const running = new RunningClient(file, this._log, this._middleware, () => this.report(running));
    try {
      await running.start(AbortSignal.any([abort, AbortSignal.timeout(startPatience)]));
    } catch (error) {
      await running.stop();
      throw error;
    }

    running.onEnd(crashed);
    this.compareVersions(file, running.client.initializeResult?.serverInfo?.version);
    return running;
  }

  // A server that the setting or the PATH names may be of another time than this extension. It mostly works; if not, the
  // user should know why. Once for each: a server that crashes is started again and again.
  private compareVersions(file: string, found = ""): void {
    const { version: expected } = this._extension.extension.packageJSON as { version: string };
    if (found === expected || this._toldVersions.has(found)) {
      return;
    }

    this._toldVersions.add(found);
    const message = vscode.l10n.t("The LLM Assist server “{0}” has the version {1}, and this extension was made for {2}. It is used all the same; if something does not work, clear the setting llmAssist.server.path or update the older of the two.", file, found === "" ? "?" : found, expected);
    this._log.warn(message);
    void vscode.window.showWarningMessage(message);
  }

  private serverFile(): string {
    const bundledFolders = [this._extension.asAbsolutePath("server")];
    if (this._extension.extensionMode === vscode.ExtensionMode.Development) {
      bundledFolders.push(path.resolve(this._extension.extensionPath, "../artifacts/llm-assist"));
    }

    const setting = vscode.workspace.getConfiguration("llmAssist").get("server.path", "");
    const found = findServer(setting, bundledFolders, {
      platform: process.platform,
      home: homedir(),
      searchPath: process.env.PATH ?? "",
      isFile: (name) => statSync(name, { throwIfNoEntry: false })?.isFile() ?? false,
    });
    switch (found.kind) {
      case "found":
        return found.file;
      case "settingMissing":
        throw new UserError(
          vscode.l10n.t("The setting llmAssist.server.path names “{0}”; expected is the absolute path of an executable file. Correct the setting, or clear it to use the server that comes with the extension.", found.file),
          openSetting("llmAssist.server.path"),
        );
      case "nowhere":
        throw new UserError(
          vscode.l10n.t("The LLM Assist server was not found at {0} nor on the PATH. Install the extension for this platform, or name the server in the setting llmAssist.server.path.", found.looked.join(", ")),
          openSetting("llmAssist.server.path"),
        );
    }
  }

  private follow(state: SupervisorState<RunningClient>): void {
    switch (state.kind) {
      case "stopped":
        this.enter({ kind: "stopped" });
        break;
      case "starting":
        this.enter({ kind: "starting", hasCrashed: this._view.kind === "starting" && this._view.hasCrashed === true });
        break;
      case "waiting":
        this._log.warn(`The server ended unexpectedly; next start in ${state.milliseconds} ms.`);
        this.enter({ kind: "starting", hasCrashed: true });
        break;
      case "running":
        this.report(state.server);
        break;
      case "failed": {
        const error = failure(state.error);
        this._log.error(error.message);
        this.enter({ kind: "failed", message: error.message });
        this._failed.fire(error);
        break;
      }
    }
  }

  // Reports that arrive before the supervisor knows the server are shown as soon as it does.
  private report(running: RunningClient): void {
    const { state } = this._supervisor;
    if (state.kind === "running" && state.server === running) {
      this.enter(running.status === undefined
        ? { kind: "silent" }
        : { kind: "reporting", status: running.status, progress: running.progress });
    }
  }

  private enter(view: ServerView): void {
    this._view = view;
    this._viewChanged.fire(view);
  }

  private told(id: string, error: unknown): Error {
    if (error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled) {
      return new vscode.CancellationError();
    }

    this._log.error(`${id}: ${String(error)}`);
    // An answer with an error is the server's own sentence; anything else is the connection's end.
    return error instanceof ResponseError && this._supervisor.state.kind === "running"
      ? new UserError(error.message, error.code === modelRefused ? raiseLimit() : undefined)
      : new UserError(vscode.l10n.t("The LLM Assist server ended before it answered. Try again; the log has the details."));
  }
}

// What the server answers when a model does not fit within the limit.
const modelRefused = -32050;

function raiseLimit(): Remedy {
  return { kind: "command", title: vscode.l10n.t("Set Memory Limit"), command: paletteCommands.setMemoryLimit, arguments: [] };
}

/** One start of the server. */
class RunningClient implements RunningServer {
  readonly client: QuietClient;
  status: ServerStatus | undefined;

  private readonly _subscriptions: vscode.Disposable[] = [];
  private readonly _works = new Works();

  constructor(file: string, log: vscode.LogOutputChannel, middleware: Middleware, private readonly _changed: () => void) {
    const server = {
      command: file,
      args: ["serve"],
      transport: TransportKind.stdio,
      // Nothing may be looked up relative to the user's folder.
      options: { cwd: path.dirname(file) },
    };
    const options: LanguageClientOptions = {
      documentSelector,
      // At its level Trace the library writes what is said there, as the setting llmAssist.trace.server wants it, and tells
      // the server to say more; it follows the level while the server runs.
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: () => settings(),
      // Told by the supervisor, in the user's language.
      initializationFailedHandler: () => false,
      errorHandler: {
        // Up to three bad messages in a row; then the connection is closed, which counts as a crash.
        error: (_error, _message, errors) => ({
          action: (errors ?? 0) <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown,
          handled: true,
        }),
        // The supervisor starts the next server with a new client: this one would stay unusable if its restart failed.
        closed: () => ({ action: CloseAction.DoNotRestart, message: "The connection to the server is closed.", handled: true }),
      },
      middleware: {
        ...middleware,
        handleWorkDoneProgress: (token, parameters, next) => {
          const isBackground = this._works.follow(token, parameters);
          this._changed();
          // The library shows it in the status bar, where nothing can be canceled. Of what a command shows itself it
          // needs the end all the same: only then it forgets the token.
          if (isBackground || parameters.kind === "end") {
            next(token, parameters);
          }
        },
        workspace: {
          configuration: async (parameters, token, next) => {
            const values = await next(parameters, token);
            return values instanceof ResponseError
              ? values
              : values.map((value: unknown, index) => {
                const section = parameters.items[index]?.section ?? "";
                return section === "llmAssist" || section.startsWith("llmAssist.") ? settingAt(section) : value;
              });
          },
        },
      },
    };
    this.client = new QuietClient("llmAssist", "LLM Assist", server, options);
    this.client.registerFeature(new Announcement());
    this._subscriptions.push(
      this.client.onRequest(updateSettingRequest, async (update: SettingUpdate) => {
        try {
          await keepAnswer(update);
          return null;
        } catch (error) {
          log.error(`${updateSettingRequest}: ${String(error)}`);
          // Without a code of its own the library would put its own words before the sentence.
          return error instanceof UserError
            ? new ResponseError(ErrorCodes.InvalidParams, error.message)
            : new ResponseError(ErrorCodes.InternalError, String(error));
        }
      }),
      this.client.onNotification(statusNotification, (status: unknown) => {
        this.status = withoutNulls(status) as ServerStatus;
        this._changed();
      }),
      onSettingsChanged(() => {
        if (this.client.isRunning()) {
          const parameters = { settings: { llmAssist: settings() } };
          this.client.sendNotification(DidChangeConfigurationNotification.type, parameters).catch((error: unknown) => {
            log.error(`Settings were not sent: ${String(error)}`);
          });
        }
      }),
    );
  }

  /** The work under way, if any. */
  get progress(): Progress | undefined {
    return this._works.last;
  }

  /** Resolves when the server has answered `initialize`. After a rejection {@link stop} is still to be called. */
  async start(abort: AbortSignal): Promise<void> {
    abort.throwIfAborted();
    const aborted = new Promise<never>((_resolve, reject) => {
      abort.addEventListener("abort", () => {
        reject(new UserError(vscode.l10n.t("The LLM Assist server did not answer within {0} seconds. The log may tell why; then restart it.", startPatience / 1000), restartServer()));
      }, { once: true });
    });
    await Promise.race([this.client.start(), aborted]);
  }

  /** Calls back when the server ends without having been asked to. */
  onEnd(callback: () => void): void {
    this._subscriptions.push(this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) {
        callback();
      }
    }));
    if (!this.client.isRunning()) {
      callback();
    }
  }

  async stop(): Promise<void> {
    vscode.Disposable.from(...this._subscriptions).dispose();
    try {
      await this.client.dispose();
    } catch {
      // It did not start, or did not end in time. The client has logged that, and kills the process.
    }
  }

  /** The work that begins next is that of a command, see {@link Works.expect}. */
  expect(foreground: Foreground): () => void {
    return this._works.expect(foreground);
  }

  /** Ends the trainings under way, and no other work. */
  async cancelTraining(): Promise<void> {
    for (const token of this._works.trainings) {
      await this.client.sendNotification(WorkDoneProgressCancelNotification.type, { token });
    }
  }
}

/** Writes its errors into the log only: the status bar and our own sentences tell the user, once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Tells the server what this client takes beyond LSP. */
class Announcement implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...capabilities.experimental as object | undefined, ...experimentalCapabilities };
  }

  initialize(): void {
    // Nothing depends on what the server can do.
  }

  getState(): ReturnType<StaticFeature["getState"]> {
    return { kind: "static" };
  }

  clear(): void {
    // There is nothing to give back.
  }
}

async function checkVersion(file: string, abort: AbortSignal): Promise<string> {
  const run = await new Promise<VersionRun>((resolve) => {
    const options = { cwd: path.dirname(file), signal: abort, timeout: startPatience, windowsHide: true };
    try {
      execFile(file, ["--version"], options, (error, output, errors) => {
        const code = error === null ? 0 : error.killed === true ? "ETIMEDOUT" : error.code ?? null;
        resolve({ code, output, errors });
      });
    } catch (error) {
      // Windows reports a file of the wrong kind by throwing.
      resolve({ code: (error as NodeJS.ErrnoException).code ?? null, output: "", errors: String(error) });
    }
  });

  const check = judgeVersion(run);
  switch (check.kind) {
    case "works":
      return check.version;
    case "runtimeMissing":
      throw new UserError(
        vscode.l10n.t("The LLM Assist server needs the .NET 10 runtime, which was not found on this machine. Install it, then restart the server."),
        { kind: "link", title: vscode.l10n.t("Get .NET 10"), url: runtimeDownload },
      );
    case "notExecutable":
      throw new UserError(vscode.l10n.t("“{0}” does not run on this system: it is not executable, or was built for another one. Install the extension for this platform.", file));
    case "fails":
      throw new UserError(vscode.l10n.t("“{0}” does not start: {1}", file, check.detail));
  }
}

function failure(error: unknown): UserError {
  if (error instanceof UserError) {
    return error;
  }

  return error instanceof KeepsCrashingError
    ? new UserError(vscode.l10n.t("The LLM Assist server keeps crashing and will not be started again by itself. The log may tell why; then restart it."), restartServer())
    : new UserError(vscode.l10n.t("The LLM Assist server did not start: {0}", error instanceof Error ? error.message : String(error)));
}

function openSetting(name: string): Remedy {
  return { kind: "command", title: vscode.l10n.t("Open Setting"), command: "workbench.action.openSettings", arguments: [name] };
}

function restartServer(): Remedy {
  return { kind: "command", title: vscode.l10n.t("Restart Server"), command: paletteCommands.restart, arguments: [] };
}
