// npm start [-- [--no-editor] FOLDER [--ollama URL] [--ollama-model NAME]]: builds what is needed and shows LlmAssist at
// work on FOLDER (default: this repository): in VS Code where there is one, else in VS Code's workbench in the browser, else in
// the terminal. With one of the last two options a model of Ollama is shown beside the pattern model, in the terminal: an
// editor has settings for that.
import { spawn } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { cacheFolder, install } from "../client-vscode/workbench/install.mjs";
import { serveWorkbench } from "../client-vscode/workbench/workbench.mjs";
import { build } from "./build.mjs";
import { artifacts, Failure, main, once, phrase, root, run, say, serverProgram, which } from "./lib.mjs";
import { packagedClient } from "./package.mjs";

const usage = {
  english: "npm start [-- [--no-editor] FOLDER [--ollama URL] [--ollama-model NAME]]",
  spanish: "npm start [-- [--no-editor] CARPETA [--ollama URL] [--ollama-model NOMBRE]]",
};

await main(import.meta.url, async (args) => {
  const { noEditor, ollama, names } = understood(args);
  const folder = folderOf(names);
  const editor = which("code");
  if (noEditor) {
    say("In the terminal, because of --no-editor.", "En la terminal, por --no-editor.");
  } else if (ollama.length !== 0) {
    say(`In the terminal, because of ${ollama[0]} (in VS Code it is a setting).`, `En la terminal, por ${ollama[0]} (en VS Code es un ajuste).`);
  } else if (editor !== undefined) {
    say(`In VS Code, because there is one: ${editor} (--no-editor shows it in the terminal).`,
      `En VS Code, porque está instalado: ${editor} (con --no-editor se muestra en la terminal).`);
    return openEditor(editor, folder);
  } else if (process.env.CI) {
    say("In the terminal, because this is CI and nobody would look into a browser.", "En la terminal, porque esto es CI y nadie miraría en un navegador.");
  } else {
    say("In the browser, because there is no \"code\" (VS Code) on the PATH (--no-editor shows it in the terminal).",
      "En el navegador, porque no hay «code» (VS Code) en el PATH (con --no-editor se muestra en la terminal).");
    const programs = await workbenchIfPossible();
    if (programs !== undefined) {
      return openWorkbench(programs, folder);
    }
  }
  const { env } = await build();
  const { code } = await run(serverProgram, ["tour", folder, ...ollama], { mayFail: true, env });
  return code;
});

async function openEditor(editor, folder) {
  const { vsix, env } = await packagedClient();
  await once("vsix-installed", ["server", "client-vscode", "package-lock.json"], artifacts, async () => {
    await run(editor, ["--install-extension", vsix, "--force"], { quiet: true });
  });
  await trainIfNew(folder, env);
  const { code } = await run(editor, [folder], { mayFail: true, env });
  return code;
}

// Without the npm registry, or where there is no package for the machine, the terminal still shows a lot.
async function workbenchIfPossible() {
  try {
    return await install();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    say(`${error.message} So in the terminal.`, `${error.message} Por eso, en la terminal.`);
    return undefined;
  }
}

async function openWorkbench(programs, folder) {
  const { vsix, env } = await packagedClient();
  await trainIfNew(folder, env);
  // Beside the installation, so that the user's settings are there the next time.
  const data = path.join(cacheFolder(), "workbench-data");
  const workbench = await serveWorkbench({
    programs, folder, vsix: [vsix], userData: path.join(data, "user"), extensions: path.join(data, "extensions"), environment: env,
    language: phrase("en", "es"),
    // The folder was learned from already, which is what trust is about.
    settings: { "security.workspace.trust.enabled": false },
  });
  // The workbench is no child of this terminal; whoever ends this ends it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => void workbench.stop());
  }
  say(`Open ${workbench.page} ; Ctrl+C ends it.`, `Abra ${workbench.page} ; Ctrl+C lo termina.`);
  showInBrowser(workbench.page);
  await workbench.ended;
  return 0;
}

// The address is said anyway, so that nothing is lost where no browser opens.
function showInBrowser(address) {
  const command = browserCommand(process.platform, process.env, address);
  if (command !== undefined && which(command[0]) !== undefined) {
    spawn(command[0], command.slice(1), { stdio: "ignore", detached: true }).on("error", () => {}).unref();
  }
}

/** What opens an address in the user's browser; undefined where there is no screen. */
export function browserCommand(platform, environment, address) {
  switch (platform) {
    case "darwin":
      return ["open", address];
    case "win32":
      // "start" is the shell's own; its first quoted word would be a title.
      return ["cmd", "/c", "start", "", address.replaceAll("&", "^&")];
    default:
      return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ["xdg-open", address] : undefined;
  }
}

async function trainIfNew(folder, env) {
  if (!(await hasModel(folder, env))) {
    await run(serverProgram, ["train", folder], { env });
  }
}

// What the arguments mean: whether to leave editors alone, what the tour is told about Ollama, and folders.
export function understood(args) {
  const rest = [...args];
  const names = [];
  const wrong = [];
  const ollama = [];
  let noEditor = false;
  while (rest.length !== 0) {
    const argument = rest.shift();
    if (argument === "--no-editor") {
      noEditor = true;
    } else if (argument === "--ollama" || argument === "--ollama-model") {
      if (rest.length === 0 || rest[0].startsWith("-")) {
        throw new Failure(`${argument} needs a value. Expected: ${usage.english}`, `${argument} necesita un valor. Se esperaba: ${usage.spanish}`);
      }
      ollama.push(argument, rest.shift());
    } else {
      (argument.startsWith("-") ? wrong : names).push(argument);
    }
  }
  wrong.push(...names.slice(1));
  if (wrong.length !== 0) {
    throw new Failure(`Not understood: ${wrong.join(" ")}. Expected: ${usage.english}`, `No se entiende: ${wrong.join(" ")}. Se esperaba: ${usage.spanish}`);
  }
  return { noEditor, ollama, names };
}

function folderOf(names) {
  // npm runs scripts in the repository; a relative name is meant from where the user is.
  const folder = names.length === 0 ? root : path.resolve(process.env.INIT_CWD ?? process.cwd(), names[0]);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Failure(
      `${folder} is not a folder. Expected one with source code in it.`,
      `${folder} no es una carpeta. Se esperaba una con código fuente.`);
  }
  return realpathSync(folder);
}

// Whether there is a model of exactly this folder, which is what the server in the editor looks for.
async function hasModel(folder, env) {
  for (const { name, source } of await answer(["models", "list"], env) ?? []) {
    if (source !== "pattern") {
      continue;
    }
    const folders = (await answer(["models", "inspect", name], env))?.provenance?.folders;
    if (folders?.length === 1 && folders[0] === folder) {
      return true;
    }
  }
  return false;
}

// What the program answers, or undefined. No answer is no reason not to train: training says itself what is wrong.
async function answer(args, env) {
  const { code, stdout } = await run(serverProgram, [...args, "--json"], { quiet: true, mayFail: true, env });
  return code === 0 ? JSON.parse(stdout) : undefined;
}
