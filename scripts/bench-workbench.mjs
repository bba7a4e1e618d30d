// How long somebody who opens a window waits for the first completion: the packaged extension in the real workbench, on a folder
// of 5 MB, with a saved model and without one. Each run is a workbench, a browser and a server of its own; the files of the
// folder are in the system's cache after the first, which is not counted. bench.mjs calls it and says where the folder is from.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openBrowser } from "../client-vscode/workbench/browser.mjs";
import { install } from "../client-vscode/workbench/install.mjs";
import { serveWorkbench } from "../client-vscode/workbench/workbench.mjs";
import { phrase, root, say } from "./lib.mjs";
import { packagedClient } from "./package.mjs";

const runs = 5;
const patience = 60_000; // ms
const askEvery = 500; // ms; a request that comes sooner takes the place of the one before

// What nobody could complete who has not learned the folder: the file has nothing else in it.
const begun = { name: "begun.ts", text: "export function begun<T>(): MonoTypeOperatorFunction<T> {\n  return o", key: "p", expected: /^erate\(/ };

const settings = {
  "security.workspace.trust.enabled": false,
  // It takes the place of ghost text, and other extensions fill it.
  "editor.quickSuggestions": { other: "off" },
  "git.enabled": false,
};

const ownItem = '.statusbar-item[id^="llm-assist.llm-assist"]';
const ghostText = '.editor-instance [class*="ghost-text-decoration"]';

/**
 * Measures on a copy of these folders, prints and answers the figures. All are medians, in milliseconds.
 * @param {string[]} folders what the folder that is opened consists of
 * @param {string} described the same for the reader
 */
export async function benchWorkbench(folders, described, { json }) {
  const programs = await install();
  const { vsix, env } = await packagedClient();
  const home = realpathSync(mkdtempSync(path.join(tmpdir(), "wb-")));
  try {
    const folder = path.join(home, "ws");
    for (const source of folders) {
      cpSync(source, path.join(folder, path.basename(source)), { recursive: true });
    }
    const megabytes = size(folder) / 1e6;
    const file = path.join(folder, path.basename(folders[0]), "src", begun.name);
    mkdirSync(path.dirname(file), { recursive: true });
    const models = path.join(home, "llm-assist");
    const open = (isSaved, more = {}) => {
      // A fresh place for what the editor keeps, so that no run finds what another has left; and short, for its sockets.
      const userData = path.join(home, "ud");
      rmSync(userData, { recursive: true, force: true });
      if (!isSaved) {
        rmSync(models, { recursive: true, force: true });
      }
      writeFileSync(file, begun.text);
      return once({
        programs, vsix: [vsix], userData, extensions: path.join(home, "ext"), folder, settings,
        environment: { ...env, HOME: home, XDG_RUNTIME_DIR: home, LLMASSIST_HOME: models, OLLAMA_HOST: "127.0.0.1:9", ...more },
      }, file);
    };

    // Warms the caches, and tells what the extension logs of itself at this level alone.
    const { activated } = await open(false, { LOG_LEVEL: "debug" });
    const untrained = await repeated(() => open(false));
    const saved = await repeated(() => open(true));
    const figures = {
      megabytes, runs, saved, untrained, activation: activated,
      bundleBytes: statSync(path.join(root, "client-vscode", "dist", "extension.js")).size, vsixBytes: statSync(vsix).size,
    };
    if (json) {
      console.log(JSON.stringify(figures, null, 2));
    } else {
      print(figures, described);
    }
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

// One window from its opening to the completion.
async function once(options, file) {
  const workbench = await serveWorkbench(options);
  try {
    const lines = begun.text.split("\n");
    const remote = `vscode-remote://${new URL(workbench.address).host}${file}:${lines.length}:${lines.at(-1).length + 1}`;
    const query = `&payload=${encodeURIComponent(JSON.stringify([["openFile", remote], ["gotoLineMode", "true"]]))}`;
    const window = await openBrowser(workbench, { query });
    try {
      const { page } = window;
      const opened = await page.evaluate(() => performance.timeOrigin);
      await page.waitForSelector(ownItem, { timeout: patience });
      const active = Date.now();
      await page.locator(".editor-instance .monaco-editor.focused").waitFor({ timeout: patience });
      await window.ghostTextPart();
      await page.keyboard.type(begun.key);
      const typed = Date.now();
      const completed = await completion(window);
      await page.waitForFunction((item) => /^LLM Assist: ready.* 1 model/.test(document.querySelector(`${item} a`)?.ariaLabel ?? ""), ownItem, { timeout: patience });
      const ready = Date.now();
      return {
        editor: active - opened, fromTyping: completed - typed, fromActivation: completed - active, fromOpening: completed - opened,
        modelReady: ready - active, activated: logged(options.userData),
      };
    } finally {
      await window.close();
    }
  } finally {
    await workbench.stop();
  }
}

// Asks until what only the folder can teach is on screen: by the palette, because the editor asks nobody twice at a place that
// it has not left.
async function completion(window) {
  const { page } = window;
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    const isThere = page.waitForFunction(([selector, source]) =>
      new RegExp(source).test([...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join("")),
    [ghostText, begun.expected.source], { timeout: askEvery }).then(() => true, () => false);
    if (await isThere) {
      return Date.now();
    }
    await window.palette("Trigger Inline Suggestion");
  }
  await window.screenshot("missing");
  throw new Error(`no completion within ${patience} ms (artifacts/workbench/missing.png)`);
}

async function repeated(work) {
  const results = [];
  for (let count = 0; count < runs; count++) {
    results.push(await work());
  }
  return Object.fromEntries(["editor", "fromTyping", "fromActivation", "fromOpening", "modelReady"].map((name) =>
    [name, { median: median(results.map((result) => result[name])), all: results.map((result) => Math.round(result[name])) }]));
}

function median(numbers) {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}

// What the extension says that its activation took, if log files can be written here.
function logged(userData) {
  const log = files(path.join(userData, "logs")).find((file) => path.basename(file) === "LLM Assist.log");
  const found = log === undefined ? null : /Activated in ([\d.]+) ms/.exec(readFileSync(log, "utf8"));
  return found === null ? undefined : Number(found[1]);
}

function files(folder) {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name)).filter((file) => statSync(file).isFile())
    : [];
}

function size(folder) {
  return files(folder).reduce((sum, file) => sum + statSync(file).size, 0);
}

function print({ megabytes, saved, untrained, activation, bundleBytes, vsixBytes }, described) {
  say(
    `From opening a window to the first completion on screen, on ${described} (${megabytes.toFixed(1)} MB); medians of ${runs}:`,
    `De abrir una ventana a la primera compleción en pantalla, con ${described} (${megabytes.toFixed(1)} MB); medianas de ${runs}:`);
  row("", phrase("saved model", "modelo guardado"), phrase("untrained", "sin entrenar"));
  const line = (name, english, spanish) => row(phrase(english, spanish), seconds(saved[name]), seconds(untrained[name]));
  line("editor", "page opened to extension active (the editor's own start)", "de la página abierta a la extensión activa (arranque del editor)");
  line("fromActivation", "extension active to completion", "de la extensión activa a la compleción");
  line("fromOpening", "page opened to completion", "de la página abierta a la compleción");
  line("modelReady", "extension active to the folder's own model in use", "de la extensión activa al modelo propio de la carpeta en uso");
  row(phrase("goal, extension active to completion", "meta, de la extensión activa a la compleción"), "2 s", "10 s");
  if (activation !== undefined) {
    row(phrase("activation of the extension, by its log", "activación de la extensión, según su registro"), `${activation} ms`, "");
  }
  row("dist/extension.js", `${(bundleBytes / 1024).toFixed(0)} KB`, "");
  row(".vsix", `${(vsixBytes / 1024).toFixed(0)} KB`, "");
}

function row(name, first, second) {
  console.log(`  ${name.padEnd(62)}${first.padStart(26)}${second.padStart(26)}`);
}

function seconds({ median, all }) {
  return `${(median / 1000).toFixed(2)} s (${(Math.min(...all) / 1000).toFixed(2)}-${(Math.max(...all) / 1000).toFixed(2)})`;
}
