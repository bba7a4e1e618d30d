// Turning completions on and off: what the settings say, and how to write them so that they say the opposite. Pure.

/** A setting as the editor finds it, without its default. */
export interface Layers<Value> {
  globalValue?: Value | undefined;
  workspaceValue?: Value | undefined;
}

export interface Write<Value> {
  place: "global" | "workspace";
  /** `undefined` takes the setting out of the file. */
  value: Value | undefined;
}

/** By language identifier; `*` stands for those that are not named. */
export type Languages = Record<string, boolean>;

/** Whether a language has completions: its own entry, else that of `*`, else yes. The server judges alike. */
export function serves(languages: Languages, language: string): boolean {
  return languages[language] ?? languages["*"] ?? true;
}

/** How to write `completion.languages` so that a language has completions or has none: where it is set, else for all workspaces. */
export function languageWrite(layers: Layers<Languages>, language: string, isServed: boolean): Write<Languages> {
  const { place, value } = nearest(layers);
  return { place, value: { ...value, [language]: isServed } };
}

/** How to turn `completion.source` off: where it is set, else for all workspaces. */
export function sourceOff(layers: Layers<string>): Write<string> {
  return { place: nearest(layers).place, value: "off" };
}

/**
 * How to turn `completion.source` on again.
 * @param before what stood there before it was turned off; undefined if nothing did, or nobody knows
 */
export function sourceOn(layers: Layers<string>, before: string | undefined): Write<string> {
  const { place } = nearest(layers);
  // Taking the workspace's “off” away would only bring the user's to light.
  const otherwise = place === "workspace" && layers.globalValue === "off" ? "auto" : undefined;
  return { place, value: before === undefined || before === "off" ? otherwise : before };
}

function nearest<Value>({ globalValue, workspaceValue }: Layers<Value>): Write<Value> {
  return workspaceValue === undefined ? { place: "global", value: globalValue } : { place: "workspace", value: workspaceValue };
}
