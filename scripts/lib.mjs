// What the scripts share: where things are, the user's language, running programs. Only Node's own modules, and nothing
// that Node 14 could not parse: an old Node must get as far as the sentence that says it is too old.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const artifacts = path.join(root, "artifacts");
export const serverFolder = path.join(artifacts, "llm-assist");
export const serverProgram = path.join(serverFolder, process.platform === "win32" ? "llm-assist.exe" : "llm-assist");

const windows = process.platform === "win32";
// POSIX's order; where none is set, as on Windows, the system's own.
const locale = process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG || Intl.DateTimeFormat().resolvedOptions().locale;
const spanish = /^es([^a-z]|$)/i.test(locale);

/** The sentence in the user's language. Whoever writes one writes both. */
export function phrase(english, inSpanish) {
  return spanish ? inSpanish : english;
}

export function say(english, inSpanish) {
  console.log(phrase(english, inSpanish));
}

/** Something that the user can mend: shown as a sentence, without a stack. */
export class Failure extends Error {
  constructor(english, inSpanish) {
    super(phrase(english, inSpanish));
  }
}

/** Runs a script's body when the script was started itself rather than imported. Its result, a number, is the exit code. */
export async function main(moduleUrl, body) {
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== fileURLToPath(moduleUrl)) {
    return;
  }
  try {
    needNode();
    process.exitCode = (await body(process.argv.slice(2))) || 0;
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    console.error(error.message);
    process.exitCode = 1;
  }
}

/**
 * Runs a program to its end and answers its exit code and, when quiet, its standard output alone and all its output. A
 * quiet program is heard only when it fails; unless "mayFail", failing ends the script.
 */
export async function run(command, args, { quiet = false, mayFail = false, env = {}, cwd = root } = {}) {
  const { code, stdout, output, error } = await new Promise((resolve) => {
    // Node starts .cmd files only through a shell, which wants its words quoted.
    const shell = windows && /\.(cmd|bat)$/i.test(command);
    const quote = (word) => (shell ? `"${word}"` : word);
    const child = spawn(quote(command), args.map(quote), {
      cwd, shell, env: { ...process.env, ...env }, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    });
    const [answer, all] = [[], []];
    child.stdout?.on("data", (chunk) => (answer.push(chunk), all.push(chunk)));
    child.stderr?.on("data", (chunk) => all.push(chunk));
    child.on("error", (error) => resolve({ code: 1, stdout: "", output: String(error), error }));
    child.on("close", (code, signal) => resolve({
      code: signal === null ? code : 1, stdout: Buffer.concat(answer).toString(), output: Buffer.concat(all).toString(),
    }));
  });
  if (code !== 0 && !mayFail) {
    if (output.length !== 0 && error === undefined) {
      console.error(output);
    }
    const line = [path.basename(command), ...args].join(" ");
    const reason = error === undefined ? "" : ` (${error.message})`;
    throw new Failure(`"${line}" failed with exit code ${code}${reason}.`, `«${line}» falló con el código de salida ${code}${reason}.`);
  }
  return { code, stdout, output };
}

/** The path of a program on the PATH, or undefined. */
export function which(name) {
  const names = windows ? [".exe", ".cmd", ".bat"].map((extension) => name + extension) : [name];
  return (process.env.PATH ?? "").split(path.delimiter).filter(Boolean)
    .flatMap((folder) => names.map((file) => path.join(folder, file)))
    .find((file) => existsSync(file) && statSync(file).isFile());
}

/** The .NET command and, for programs that look for their runtime, the environment that shows them the same .NET. */
export async function dotnet() {
  const folder = process.env.DOTNET_ROOT;
  const inRoot = folder === undefined ? undefined : path.join(folder, windows ? "dotnet.exe" : "dotnet");
  const command = which("dotnet") ?? (inRoot !== undefined && existsSync(inRoot) ? inRoot : undefined);
  const listing = command === undefined ? "" : (await run(command, ["--list-sdks"], { quiet: true, mayFail: true })).stdout;
  // 10.0.401 [/usr/share/dotnet/sdk]
  const sdks = [...listing.matchAll(/^(\d+)\.\S+ \[(.+)\]\s*$/gm)].map((match) => ({ major: Number(match[1]), folder: match[2] }));
  const sdk = sdks.find(({ major }) => 10 <= major);
  if (sdk === undefined) {
    const found = sdks.length === 0 ? phrase("found none", "no se encontró ninguno")
      : phrase("found only ", "solo se encontró ") + sdks.map(({ major }) => major).join(", ");
    throw new Failure(
      `The .NET SDK 10 is needed to build the server; ${found}. Get it from https://dotnet.microsoft.com/download/dotnet/10.0 and try again.`,
      `Para compilar el servidor hace falta el SDK de .NET 10; ${found}. Descárguelo de https://dotnet.microsoft.com/download/dotnet/10.0 y vuelva a intentarlo.`);
  }
  return { command, env: { DOTNET_ROOT: process.env.DOTNET_ROOT ?? path.dirname(sdk.folder), DOTNET_NOLOGO: "1" } };
}

/** Runs npm, the one that started this script if one did. */
export function npm(args, options) {
  const started = process.env.npm_execpath;
  return started !== undefined && /\.c?js$/.test(started)
    ? run(process.execPath, [started, ...args], options)
    : run(which("npm") ?? "npm", args, options);
}

/** The manifests of the npm workspaces that exist, by folder. */
export function workspaces() {
  return manifestOf(root).workspaces
    .filter((folder) => existsSync(path.join(root, folder, "package.json")))
    .map((folder) => ({ folder, manifest: manifestOf(path.join(root, folder)) }));
}

/** Installs the npm packages of the repository and its workspaces, unless they are as the manifests and the lock file want them. */
export async function installPackages() {
  const manifests = ["package.json", "package-lock.json", ".npmrc", ...workspaces().map(({ folder }) => path.join(folder, "package.json"))];
  const installed = path.join(root, "node_modules");
  await once("node_modules", manifests, installed, async () => {
    say("Installing npm packages ...", "Instalando los paquetes de npm ...");
    // "ci" takes the lock file at its word; people who edit a manifest want it brought up to date instead.
    await npm([process.env.CI ? "ci" : "install"], { quiet: true });
    mkdirSync(installed, { recursive: true });
  });
}

/**
 * Does the work unless its result exists and was made from these files as they are now. Folders count with all that is in
 * them, except what builds leave there. Contents are compared, not times: a checkout touches files without changing them.
 */
export async function once(name, sources, result, work) {
  const hash = createHash("sha256");
  for (const file of sources.flatMap(filesIn).sort()) {
    hash.update(`${file}\0`).update(readFileSync(path.join(root, file))).update("\0");
  }
  const stamp = path.join(artifacts, "stamps", name);
  const wanted = hash.digest("hex");
  if (existsSync(result) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
    return;
  }
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

// Names anywhere, and the two copies that packaging puts beside the client's sources.
const made = new Set(["node_modules", "bin", "obj", "dist", "out"]);
const copied = new Set(["client-vscode/server", "client-vscode/LICENSE"].map((name) => path.join(name)));

function filesIn(name) {
  const full = path.join(root, name);
  if (made.has(path.basename(name)) || copied.has(name) || !existsSync(full)) {
    return [];
  }
  if (statSync(full).isFile()) {
    return [name];
  }
  return readdirSync(full).flatMap((entry) => filesIn(path.join(name, entry)));
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
}

function needNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) {
    throw new Failure(
      `Node 20 or newer is needed; this is Node ${process.versions.node}. Get it from https://nodejs.org and try again.`,
      `Hace falta Node 20 o posterior; este es Node ${process.versions.node}. Descárguelo de https://nodejs.org y vuelva a intentarlo.`);
  }
}
