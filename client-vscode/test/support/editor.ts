// Stands in for the editor's windows in tests of commands: a person who was told beforehand what to do, and a record of
// what they were shown. What the tested files need and no more.

/** What the person does next, by a part of what is to be read there; undefined for leaving. */
export const script = {
  /** In a list. */
  rows: [] as (string | undefined)[],
  /** At a message with buttons. */
  buttons: [] as (string | undefined)[],
  /** Into a box, as a whole. */
  texts: [] as (string | undefined)[],
  /** Everything that was shown, and every setting that was written, in order. */
  record: [] as string[],
  settings: { globalValue: {} as Record<string, unknown>, workspaceValue: {} as Record<string, unknown> },
};

/** Forgets everything, and tells the person what to do. */
export function rehearse({ rows = [], buttons = [], texts = [] }: Partial<Pick<typeof script, "rows" | "buttons" | "texts">> = {}): void {
  script.rows = rows;
  script.buttons = buttons;
  script.texts = texts;
  script.record = [];
  script.settings = { globalValue: {}, workspaceValue: {} };
  panels.length = 0;
}

interface Row {
  label: string;
  buttons?: Button[];
}

interface Button {
  iconPath: ThemeIcon;
}

let list: QuickPick | undefined;

/** The list that was made last. */
export function shownList(): QuickPick {
  if (list === undefined) {
    throw new Error("No list was made.");
  }

  return list;
}

export class QuickPick {
  private readonly _accepted: (() => void)[] = [];
  private readonly _hidden: (() => void)[] = [];
  private readonly _pressed: ((press: { item: Row; button: Button }) => void)[] = [];
  private _isHidden = false;
  private _enabled = true;
  title = "";
  busy = false;
  items: Row[] = [];
  selectedItems: Row[] = [];
  activeItems: Row[] = [];

  get isHidden(): boolean {
    return this._isHidden;
  }

  /** The person clicks a button of a row. */
  press(part: string, icon: string): void {
    const item = found(this.items, part);
    const button = item.buttons?.find(({ iconPath }) => iconPath.id === icon);
    if (button === undefined) {
      throw new Error(`"${item.label}" has no button "${icon}".`);
    }

    this._pressed.forEach((callback) => callback({ item, button }));
  }

  // The person goes on as soon as the list takes clicks again.
  set enabled(value: boolean) {
    this._enabled = value;
    this.next();
  }

  get enabled(): boolean {
    return this._enabled;
  }

  onDidAccept(callback: () => void): Disposable {
    this._accepted.push(callback);
    return new Disposable();
  }

  onDidHide(callback: () => void): Disposable {
    this._hidden.push(callback);
    return new Disposable();
  }

  onDidTriggerItemButton(callback: (press: { item: Row; button: Button }) => void): Disposable {
    this._pressed.push(callback);
    return new Disposable();
  }

  onDidChangeValue(): Disposable {
    return new Disposable();
  }

  show(): void {
    script.record.push(`list: ${this.title}`);
    this.next();
  }

  hide(): void {
    if (!this._isHidden) {
      this._isHidden = true;
      this._hidden.forEach((callback) => callback());
    }
  }

  dispose(): void {
    this._accepted.length = 0;
  }

  private next(): void {
    if (!this._enabled || this._isHidden) {
      return;
    }

    queueMicrotask(() => {
      const wanted = script.rows.shift();
      const row = wanted === undefined ? undefined : found(this.items, wanted);
      if (row === undefined) {
        this.hide();
      } else {
        this.selectedItems = [row];
        this._accepted.forEach((callback) => callback());
      }
    });
  }
}

/** Every panel with a page of ours, in the order of their opening. */
export const panels: Panel[] = [];

class Panel {
  private readonly _disposed: (() => void)[] = [];
  private _receive: (message: unknown) => void = () => undefined;
  visible = true;
  revealed = 0;
  isDisposed = false;
  posted: unknown[] = [];
  readonly webview = {
    options: {},
    html: "",
    cspSource: "https://source",
    asWebviewUri: (uri: Uri) => uri,
    onDidReceiveMessage: (callback: (message: unknown) => void): Disposable => {
      this._receive = callback;
      return new Disposable();
    },
    postMessage: (message: unknown) => Promise.resolve(this.posted.push(message)),
  };

  receive(message: unknown): void {
    this._receive(message);
  }

  reveal(): void {
    this.revealed++;
  }

  onDidDispose(callback: () => void): Disposable {
    this._disposed.push(callback);
    return new Disposable();
  }

  dispose(): void {
    this.isDisposed = true;
    this._disposed.forEach((callback) => callback());
  }
}

export class Uri {
  private constructor(readonly path: string) {}

  static file(path: string): Uri {
    return new Uri(path);
  }

  static joinPath({ path }: Uri, ...names: string[]): Uri {
    return new Uri([path, ...names].join("/"));
  }

  static parse(text: string): Uri {
    return new Uri(text);
  }

  toString(): string {
    return this.path;
  }
}

export const ViewColumn = { Active: -1 };

export class Disposable {
  static from(): Disposable {
    return new Disposable();
  }

  dispose(): void {
    // There is nothing to give back.
  }
}

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export class CancellationError extends Error {}

export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const ProgressLocation = { Notification: 15 };
export const ConfigurationTarget = { Global: 1, Workspace: 2 };

export const window = {
  createWebviewPanel: () => {
    const panel = new Panel();
    panels.push(panel);
    return panel;
  },
  createQuickPick: () => list = new QuickPick(),
  showQuickPick: (items: Row[], { title }: { title: string }) => {
    script.record.push(`list: ${title}`);
    const wanted = script.rows.shift();
    return Promise.resolve(wanted === undefined ? undefined : found(items, wanted));
  },
  showInputBox: ({ title, value, validateInput }: { title: string; value: string; validateInput: (text: string) => string | undefined }) => {
    script.record.push(`box: ${title} ${value}`);
    const text = script.texts.shift();
    const problem = text === undefined ? undefined : validateInput(text);
    return problem === undefined ? Promise.resolve(text) : Promise.reject(new Error(problem));
  },
  showInformationMessage: message,
  showWarningMessage: message,
  showErrorMessage: message,
  setStatusBarMessage: (text: string) => script.record.push(`says: ${text}`),
  withProgress: (
    { title }: { title: string },
    task: (progress: { report(step: { message?: string; increment?: number }): void }, token: unknown) => Promise<unknown>,
  ) => {
    script.record.push(`progress: ${title}`);
    const report = ({ message = "", increment = 0 }): void => {
      script.record.push(`progress: ${message} +${increment}`);
    };
    return task({ report }, {});
  },
};

export const commands = {
  executeCommand: (id: string, ...values: unknown[]) => {
    script.record.push(`command: ${[id, ...values].join(" ")}`);
    return Promise.resolve();
  },
};

export const workspace = {
  getConfiguration: () => ({
    get: (name: string, otherwise: unknown) =>
      script.settings.workspaceValue[name] ?? script.settings.globalValue[name] ?? otherwise,
    inspect: (name: string) => ({
      globalValue: script.settings.globalValue[name],
      workspaceValue: script.settings.workspaceValue[name],
    }),
    update: (name: string, value: unknown, target: number) => {
      script.record.push(`${target === ConfigurationTarget.Global ? "user" : "workspace"}: ${name} = ${String(value)}`);
      return Promise.resolve();
    },
  }),
};

function message(text: string, ...rest: unknown[]): Promise<string | undefined> {
  const buttons = rest.filter((part) => typeof part === "string");
  script.record.push(`asks: ${[text, ...buttons].join(" | ")}`);
  return Promise.resolve(script.buttons.shift());
}

function found(rows: Row[], part: string): Row {
  const row = rows.find(({ label }) => label.includes(part));
  if (row === undefined) {
    throw new Error(`No row has "${part}": ${rows.map(({ label }) => label).join(", ")}`);
  }

  return row;
}
