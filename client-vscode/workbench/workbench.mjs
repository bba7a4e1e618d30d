// One workbench on a port of its own, as a process group that ends with all that it has started; and a private one for tests,
// with its own user data, extensions and home. Knows how to start and stop it; browser.mjs shows it.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "../../scripts/lib.mjs";

const patience = 60_000; // ms

// A window that shows the extension and nothing else, and asks nobody outside for anything.
const quietSettings = {
  "chat.commandCenter.enabled": false,
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

// For tests and pictures: the same at every time and at every speed of the machine.
const steadySettings = {
  "editor.cursorBlinking": "solid",
  "editor.minimap.enabled": false,
  // Whether it opens by itself is decided by who is faster, it or ghost text; and Tab means another thing in it.
  "editor.quickSuggestions": { other: "off" },
  "editor.wordBasedSuggestions": "off",
  "files.autoSave": "off",
  // Else it tells of every port that any program of the machine opens.
  "remote.autoForwardPorts": false,
  "git.enabled": false,
  "security.workspace.trust.startupPrompt": "never",
  "workbench.reduceMotion": "on",
};

/**
 * Starts a workbench on a fresh folder with `files` in it and the extensions of `vsix` installed.
 * @param {object} options
 * @param {{ node: string, entry: string }} options.programs the installation, see install.mjs
 * @param {string[]} [options.vsix] packages to install
 * @param {Record<string, string>} [options.files] contents by name
 * @param {string} [options.name] the folder's name
 * @param {object} [options.settings] the user's
 * @param {object} [options.machineSettings] those of machine scope, which the editor reads from nowhere else
 * @param {boolean} [options.trusted] whether the folder is trusted
 * @param {string} [options.language] the display language. Only what extensions say is in it: the workbench's own texts
 * would need a language pack
 * @param {Record<string, string>} [options.environment]
 * @param {string[]} [options.more] further arguments of the program
 */
export async function startWorkbench({
  programs, vsix = [], files = {}, name: folderName = "ws", settings = {}, machineSettings = {}, trusted = true, language = "en", environment = {}, more = [],
}) {
  // A short name: the sockets that lie in it must not have long paths.
  const home = realpathSync(mkdtempSync(path.join(tmpdir(), "wb-")));
  const place = (name) => path.join(home, name);
  const [userData, extensions, folder] = [place("ud"), place("ext"), place(folderName)];
  write(path.join(userData, "Machine", "settings.json"), JSON.stringify(machineSettings));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    write(path.join(folder, name), text);
  }

  const serving = await serveWorkbench({
    programs, userData, extensions, folder, vsix, language, more, environment: { ...privateEnvironment(home), ...environment },
    settings: { ...steadySettings, "security.workspace.trust.enabled": !trusted, ...settings },
  }).catch((error) => {
    rmSync(home, { recursive: true, force: true });
    throw error;
  });
  return {
    ...serving, home, folder, extensions, language,
    /** Writes the settings of the folder: changes of the user's are not noticed here when others than the editor make them. */
    set: (values) => write(path.join(folder, ".vscode", "settings.json"), JSON.stringify(values)),
    /** The settings of machine scope, as the editor keeps them. */
    machineSettings: () => JSON.parse(readFileSync(path.join(userData, "Machine", "settings.json"), "utf8")),
    /** The text of a file in the folder, as it is on disk. */
    read: (name) => readFileSync(path.join(folder, name), "utf8"),
    /** What an output channel has logged, by the channel's name; empty before it has logged anything. */
    log: (channel) => filesBelow(path.join(userData, "logs")).filter((file) => path.basename(file) === `${channel}.log`)
      .map((file) => readFileSync(file, "utf8")).join(""),
    /** The ids of the processes that were started from inside this workbench's extensions, such as language servers. */
    processes: () => processesOf(extensions),
    async stop() {
      await serving.stop();
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/**
 * Serves `folder` in a workbench with the extensions of `vsix` and those that are in the folder `extensions`. Answers when
 * it can be opened: its address, the page of the folder, how it ends, and how to end it.
 * @param {object} options
 * @param {object} [options.settings] what the user's settings are to begin with; the user may have changed them since
 */
export async function serveWorkbench({
  programs, userData, extensions, folder, vsix = [], settings = {}, language = "en", environment = {}, more = [],
}) {
  // Without a gallery of extensions the workbench does not ask for one: nobody outside of the machine is asked for anything.
  const env = { ...process.env, EXTENSIONS_GALLERY: "{}", ...environment };
  const settingsFile = path.join(userData, "User", "settings.json");
  if (!existsSync(settingsFile)) {
    write(settingsFile, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
  }
  if (language !== "en") {
    installLanguage(userData, language);
  }
  const common = [programs.entry, "--user-data-dir", userData, "--extensions-dir", extensions, "--config", path.join(userData, "none.yaml")];
  for (const file of vsix) {
    await run(programs.node, [...common, "--install-extension", file, "--force"], { quiet: true, env });
  }

  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const logFile = path.join(userData, "workbench.log");
  const output = openSync(logFile, "w");
  const server = spawn(programs.node, [
    ...common, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check",
    "--disable-getting-started-override", ...(language === "en" ? [] : ["--locale", language]), ...more, folder,
  ], { env, stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  const ended = new Promise((resolve) => {
    server.on("error", resolve);
    server.on("exit", resolve);
  });
  await untilItAnswers(address, server, logFile);
  return {
    address, port, ended,
    page: `${address}/?folder=${encodeURIComponent(folder)}`,
    async stop() {
      // The group: watchers, terminals and the extension host are processes of their own.
      kill(-server.pid, "SIGTERM");
      await Promise.race([ended, pause(5000)]);
      kill(-server.pid, "SIGKILL");
    },
  };
}

function write(file, text) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

// The workbench takes its language from a pack; one without texts makes it keep its own and speak to extensions in ours.
function installLanguage(userData, language) {
  const texts = path.join(userData, "language", "main.i18n.json");
  write(texts, JSON.stringify({ version: "1.0.0", contents: {} }));
  write(path.join(userData, "languagepacks.json"), JSON.stringify({
    [language]: {
      hash: `empty-${language}`,
      label: language,
      extensions: [{ extensionIdentifier: { id: `llm-assist.empty-${language}` }, version: "1.0.0" }],
      translations: { vscode: texts },
    },
  }));
}

function privateEnvironment(home) {
  const { VSCODE_IPC_HOOK_CLI, NODE_OPTIONS, NODE_TEST_CONTEXT, ...others } = process.env;
  return {
    ...Object.fromEntries(Object.keys(process.env).filter((name) => !(name in others)).map((name) => [name, undefined])),
    HOME: home,
    ...Object.fromEntries(["DATA", "CONFIG", "CACHE", "STATE"].map((name) => [`XDG_${name}_HOME`, path.join(home, "xdg")])),
    XDG_RUNTIME_DIR: home,
    LLMASSIST_HOME: path.join(home, "llm-assist"),
    // Nobody is there: a test brings its own Ollama or none, not one that happens to run here.
    OLLAMA_HOST: "127.0.0.1:9",
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function untilItAnswers(address, server, logFile) {
  const deadline = performance.now() + patience;
  while (true) {
    const answers = await fetch(`${address}/healthz`).then(({ ok }) => ok, () => false);
    if (answers) {
      return;
    }
    if (server.exitCode !== null || deadline < performance.now()) {
      kill(-server.pid, "SIGKILL");
      throw new Error(`The workbench did not start: ${readFileSync(logFile, "utf8")}`);
    }
    await pause(50);
  }
}

function kill(id, signal) {
  try {
    process.kill(id, signal);
  } catch {
    // It has ended already.
  }
}

async function processesOf(folder) {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,args="], { quiet: true });
  return stdout.split("\n").map((line) => /^\s*(\d+) (.*)$/.exec(line)).filter((match) => match?.[2].startsWith(folder)).map((match) => Number(match[1]));
}

function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}
