// Finds the server's executable, and says why one that was found does not run. Starts nothing; client.ts does.

import * as path from "node:path";

/** The little that finding a program asks of the machine. */
export interface Machine {
  platform: NodeJS.Platform;
  home: string;
  /** The PATH variable as it is. */
  searchPath: string;
  isFile(file: string): boolean;
}

export type ServerPath =
  | { kind: "found"; file: string; origin: "setting" | "bundled" | "path" }
  | { kind: "settingMissing"; file: string }
  | { kind: "nowhere"; looked: string[] };

/**
 * The setting, else the extension's own copy, else the PATH. A setting that names no file is an error and not passed
 * over: whoever wrote it wants that server and no other.
 * @param bundledFolders where the extension's own copy can be, best first
 */
export function findServer(setting: string, bundledFolders: readonly string[], machine: Machine): ServerPath {
  const paths = machine.platform === "win32" ? path.win32 : path.posix;
  const executable = machine.platform === "win32" ? "llm-assist.exe" : "llm-assist";

  if (setting.trim() !== "") {
    const file = setting.trim().replace(/^~(?=$|[/\\])/, () => machine.home);
    // A relative path would depend on which folder is open, and a folder must not choose what runs.
    return paths.isAbsolute(file) && machine.isFile(file)
      ? { kind: "found", file, origin: "setting" }
      : { kind: "settingMissing", file };
  }

  const bundled = bundledFolders.map((folder) => paths.join(folder, executable));
  const onPath = machine.searchPath
    .split(paths.delimiter)
    .map((folder) => folder.replace(/^"(.*)"$/, "$1"))
    .filter((folder) => paths.isAbsolute(folder))
    .map((folder) => paths.join(folder, executable));

  const own = bundled.find((file) => machine.isFile(file));
  if (own !== undefined) {
    return { kind: "found", file: own, origin: "bundled" };
  }

  const other = onPath.find((file) => machine.isFile(file));
  return other !== undefined
    ? { kind: "found", file: other, origin: "path" }
    : { kind: "nowhere", looked: bundled };
}

/** How a run of `llm-assist --version` ended. */
export interface VersionRun {
  /** The exit code, or Node's name for why there is none: `ENOENT`, `EACCES`, `ETIMEDOUT`. */
  code: number | string | null;
  output: string;
  errors: string;
}

export type VersionCheck =
  | { kind: "works"; version: string }
  | { kind: "runtimeMissing" }
  | { kind: "notExecutable" }
  | { kind: "fails"; detail: string };

// The exit codes of a .NET program whose runtime is absent (CoreHostLibMissingFailure) or of the wrong version
// (FrameworkMissingFailure). Windows keeps all 32 bits, other systems the lowest eight.
const runtimeMissingCodes: ReadonlySet<number | string | null> = new Set([0x80008083, 0x80008096, 0x83, 0x96]);

/** What a run of `llm-assist --version` says about the server. */
export function judgeVersion(run: VersionRun): VersionCheck {
  if (run.code === 0) {
    return { kind: "works", version: run.output.trim() };
  }

  if (runtimeMissingCodes.has(run.code) || /must install(?: or update)? \.NET/.test(run.errors)) {
    return { kind: "runtimeMissing" };
  }

  // ENOEXEC and UNKNOWN (Windows): a program for another system or processor.
  if (run.code === "EACCES" || run.code === "ENOEXEC" || run.code === "UNKNOWN") {
    return { kind: "notExecutable" };
  }

  const lastWords = run.errors.trim().split("\n").at(-1)?.trim() ?? "";
  return { kind: "fails", detail: lastWords === "" ? `--version: ${run.code ?? "?"}` : lastWords };
}
