// npm start [-- [--no-editor] FOLDER [--ollama URL] [--ollama-model NAME]]: builds what is needed and shows LlmAssist at
// work on FOLDER (default: this repository), in VS Code where there is one, else in the terminal. With one of the last two
// options a model of Ollama is shown beside the pattern model, in the terminal: an editor has settings for that.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { artifacts, Failure, main, once, root, run, say, serverProgram, which, workspaces } from "./lib.mjs";
import { packageClient } from "./package.mjs";

const usage = {
  english: "npm start [-- [--no-editor] FOLDER [--ollama URL] [--ollama-model NAME]]",
  spanish: "npm start [-- [--no-editor] CARPETA [--ollama URL] [--ollama-model NOMBRE]]",
};

await main(import.meta.url, async (args) => {
  const { noEditor, ollama, names } = understood(args);
  const folder = folderOf(names);
  const editor = which("code");
  const client = workspaces().some((workspace) => workspace.folder === "client-vscode");
  if (noEditor) {
    say("In the terminal, because of --no-editor.", "En la terminal, por --no-editor.");
  } else if (ollama.length !== 0) {
    say(`In the terminal, because of ${ollama[0]} (in VS Code it is a setting).`, `En la terminal, por ${ollama[0]} (en VS Code es un ajuste).`);
  } else if (editor === undefined) {
    say("In the terminal, because there is no \"code\" (VS Code) on the PATH.", "En la terminal, porque no hay «code» (VS Code) en el PATH.");
  } else if (!client) {
    say("In the terminal, because this copy has no client-vscode.", "En la terminal, porque esta copia no tiene client-vscode.");
  } else {
    say(`In VS Code, because there is one: ${editor} (--no-editor shows it in the terminal).`,
      `En VS Code, porque está instalado: ${editor} (con --no-editor se muestra en la terminal).`);
    return openEditor(editor, folder);
  }
  const { env } = await build();
  const { code } = await run(serverProgram, ["tour", folder, ...ollama], { mayFail: true, env });
  return code;
});

async function openEditor(editor, folder) {
  const { env } = await build();
  await once("vsix", ["server", "client-vscode", "package-lock.json"], artifacts, async () => {
    say("Packaging the extension ...", "Empaquetando la extensión ...");
    await packageClient([], { quiet: true });
    await run(editor, ["--install-extension", newestVsix(), "--force"], { quiet: true });
  });
  if (!(await hasModel(folder, env))) {
    await run(serverProgram, ["train", folder], { env });
  }
  const { code } = await run(editor, [folder], { mayFail: true, env });
  return code;
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

function newestVsix() {
  const made = readdirSync(artifacts).filter((file) => file.endsWith(".vsix")).map((file) => path.join(artifacts, file));
  return made.sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs)[0];
}
