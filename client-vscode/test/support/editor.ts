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
  /** In a dialog for folders. */
  folders: [] as (string | undefined)[],
  /** Everything that was shown, and every setting that was written, in order. */
  record: [] as string[],
  /** The small print of questions. */
  details: [] as string[],
  /** The rows that are selected in a view. */
  selection: [] as { id: string }[],
  settings: { globalValue: {} as Record<string, unknown>, workspaceValue: {} as Record<string, unknown> },
};

/** Forgets everything, and tells the person what to do. */
export function rehearse(next: Partial<Pick<typeof script, "rows" | "buttons" | "texts" | "folders">> = {}): void {
  script.rows = next.rows ?? [];
  script.buttons = next.buttons ?? [];
  script.texts = next.texts ?? [];
  script.folders = next.folders ?? [];
  script.record = [];
  script.details = [];
  script.selection = [];
  script.settings = { globalValue: {}, workspaceValue: {} };
  panels.length = 0;
}

/** For the person to say instead of a row or a text. */
export const presses = { button: "(the button of the title)", accept: "(OK)" };

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
  private readonly _triggered: (() => void)[] = [];
  private readonly _accepted: (() => void)[] = [];
  private readonly _hidden: (() => void)[] = [];
  private readonly _pressed: ((press: { item: Row; button: Button }) => void)[] = [];
  private _isHidden = false;
  private _enabled = true;
  title = "";
  canSelectMany = false;
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

  onDidTriggerButton(callback: () => void): Disposable {
    this._triggered.push(callback);
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
      if (wanted === presses.button) {
        this._triggered.forEach((callback) => callback());
        return;
      }

      if (wanted === presses.accept) {
        script.record.push(`checked: ${this.selectedItems.map(({ label }) => label).join(", ")}`);
        this._accepted.forEach((callback) => callback());
        // The list stays if it was not content.
        this.next();
        return;
      }

      const row = wanted === undefined ? undefined : found(this.items, wanted);
      if (row === undefined) {
        this.hide();
      } else if (this.canSelectMany) {
        this.selectedItems = this.selectedItems.includes(row)
          ? this.selectedItems.filter((other) => other !== row)
          : [...this.selectedItems, row];
        this.next();
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

class InputBox {
  private readonly _changed: ((value: string) => void)[] = [];
  private readonly _triggered: (() => void)[] = [];
  private readonly _accepted: (() => void)[] = [];
  private readonly _hidden: (() => void)[] = [];
  title = "";
  value = "";
  placeholder = "";
  validationMessage: { message: string } | undefined;

  onDidChangeValue(callback: (value: string) => void): Disposable {
    this._changed.push(callback);
    return new Disposable();
  }

  onDidTriggerButton(callback: () => void): Disposable {
    this._triggered.push(callback);
    return new Disposable();
  }

  onDidAccept(callback: () => void): Disposable {
    this._accepted.push(callback);
    return new Disposable();
  }

  onDidHide(callback: () => void): Disposable {
    this._hidden.push(callback);
    return new Disposable();
  }

  show(): void {
    script.record.push(`input: ${this.title} (${this.placeholder})`);
    this.next();
  }

  hide(): void {
    this._hidden.splice(0).forEach((callback) => callback());
  }

  dispose(): void {
    this._accepted.length = 0;
  }

  private next(): void {
    queueMicrotask(() => {
      const typed = script.texts.shift();
      if (typed === undefined) {
        this.hide();
      } else if (typed === presses.button) {
        this._triggered.forEach((callback) => callback());
      } else {
        this.value = typed;
        this._changed.forEach((callback) => callback(typed));
        if (this.validationMessage !== undefined) {
          script.record.push(`remark: ${this.validationMessage.message}`);
        }

        this._accepted.forEach((callback) => callback());
        // The box stays if it was not content.
        if (this._hidden.length !== 0) {
          this.next();
        }
      }
    });
  }
}

export class Disposable {
  static from(): Disposable {
    return new Disposable();
  }

  dispose(): void {
    // There is nothing to give back.
  }
}

export class EventEmitter<T> {
  private readonly _callbacks: ((value: T) => void)[] = [];

  readonly event = (callback: (value: T) => void): Disposable => {
    this._callbacks.push(callback);
    return new Disposable();
  };

  fire(value: T): void {
    this._callbacks.forEach((callback) => callback(value));
  }

  dispose(): void {
    this._callbacks.length = 0;
  }
}

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class MarkdownString {
  constructor(readonly value: string) {}
}

export class TreeItem {
  constructor(readonly label: string, readonly collapsibleState: number) {}
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

export class CancellationError extends Error {}

export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const QuickInputButtons = { Back: {} };
export const InputBoxValidationSeverity = { Info: 1, Error: 3 };
export const ProgressLocation = { Notification: 15 };
export const ConfigurationTarget = { Global: 1, Workspace: 2 };

export const window = {
  createWebviewPanel: () => {
    const panel = new Panel();
    panels.push(panel);
    return panel;
  },
  createQuickPick: () => list = new QuickPick(),
  createInputBox: () => new InputBox(),
  showOpenDialog: ({ openLabel }: { openLabel: string }) => {
    script.record.push(`dialog: ${openLabel}`);
    const folder = script.folders.shift();
    return Promise.resolve(folder === undefined ? undefined : [{ fsPath: folder }]);
  },
  createTreeView: () => ({
    message: "",
    visible: true,
    selection: script.selection,
    reveal: ({ label }: Row) => Promise.resolve(script.record.push(`reveals: ${label}`)),
    onDidChangeVisibility: () => new Disposable(),
    dispose: () => undefined,
  }),
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

const nothingHappens = (): Disposable => new Disposable();

export const workspace = {
  isTrusted: true,
  workspaceFolders: undefined as { uri: { fsPath: string } }[] | undefined,
  onDidChangeConfiguration: nothingHappens,
  onDidChangeWorkspaceFolders: nothingHappens,
  onDidGrantWorkspaceTrust: nothingHappens,
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
  script.details.push(...rest.flatMap((part) => (part as { detail?: string }).detail ?? []));
  return Promise.resolve(script.buttons.shift());
}

function found(rows: Row[], part: string): Row {
  const row = rows.find(({ label }) => label.includes(part));
  if (row === undefined) {
    throw new Error(`No row has "${part}": ${rows.map(({ label }) => label).join(", ")}`);
  }

  return row;
}
