// npm run package [-- --target PLATFORM]: builds the server and lets the client make its VSIX, into artifacts.
import { build } from "./build.mjs";
import { Failure, installPackages, main, npm, workspaces } from "./lib.mjs";

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

await main(import.meta.url, (args) => packageClient(args));
