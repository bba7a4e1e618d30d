// npm run package [-- --target PLATFORM]: builds the server and lets the client make its VSIX, into artifacts.
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { artifacts, Failure, installPackages, main, npm, once, say, workspaces } from "./lib.mjs";

export async function packageClient(args = [], options = {}) {
  const { env } = await build();
  if (!workspaces().some(({ folder }) => folder === "client-vscode")) {
    throw new Failure(
      "There is no VS Code client here: client-vscode/package.json is missing. Use a complete clone of the repository.",
      "No hay cliente de VS Code: falta client-vscode/package.json. Use un clon completo del repositorio.");
  }
  await installPackages();
  await npm(["run", "package", "-w", "client-vscode", ...(args.length === 0 ? [] : ["--", ...args])], { ...options, env });
}

/** The VSIX for this machine, made if none was made from the present sources; and the environment that its server runs in. */
export async function packagedClient() {
  const { env } = await build();
  await once("vsix", ["server", "client-vscode", "package-lock.json"], artifacts, async () => {
    say("Packaging the extension ...", "Empaquetando la extensión ...");
    await packageClient([], { quiet: true });
  });
  return { vsix: newestVsix(), env };
}

// Of those for this machine: one made with --target brings its own .NET, and may be for another system.
function newestVsix() {
  const made = readdirSync(artifacts).filter((file) => file.endsWith("-needs-dotnet.vsix")).map((file) => path.join(artifacts, file));
  return made.sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs)[0];
}

await main(import.meta.url, (args) => packageClient(args));
