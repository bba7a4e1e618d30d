// npm start [-- [--no-editor] FOLDER]: builds what is needed and shows LlmAssist at work on FOLDER (default: this
// repository), in VS Code where there is one, else in the terminal.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { artifacts, Failure, main, once, root, run, say, serverProgram, which, workspaces } from "./lib.mjs";
import { packageClient } from "./package.mjs";

await main(import.meta.url, async (args) => {
  const folder = folderOf(args);
  const editor = which("code");
  const client = workspaces().some((workspace) => workspace.folder === "client-vscode");
  if (args.includes("--no-editor")) {
    say("In the terminal, because of --no-editor.", "En la terminal, por --no-editor.");
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
  const { code } = await run(serverProgram, ["tour", folder], { mayFail: true, env });
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

function folderOf(args) {
  const options = args.filter((argument) => argument.startsWith("-") && argument !== "--no-editor");
  const names = args.filter((argument) => !argument.startsWith("-"));
  if (options.length !== 0 || 1 < names.length) {
    throw new Failure(
      `Not understood: ${[...options, ...names.slice(1)].join(" ")}. Expected: npm start [-- [--no-editor] FOLDER]`,
      `No se entiende: ${[...options, ...names.slice(1)].join(" ")}. Se esperaba: npm start [-- [--no-editor] CARPETA]`);
  }
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
  for (const { name } of await answer(["models", "list"], env) ?? []) {
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
