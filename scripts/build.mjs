// npm run build: publishes the server into artifacts/llm-assist, unless what is there was made from the present sources.
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { artifacts, dotnet, Failure, main, once, run, say, serverFolder, serverProgram } from "./lib.mjs";

export async function build() {
  const { command, env } = await dotnet();
  await once("server", ["server"], serverProgram, async () => {
    say("Building the server ...", "Compilando el servidor ...");
    const started = performance.now();
    // Into a fresh folder first: a build that fails leaves the last good server where editors expect it, and nothing of an
    // older one stays among the new files.
    const fresh = path.join(artifacts, "llm-assist.new");
    rmSync(fresh, { recursive: true, force: true });
    await run(command, ["publish", "server/LlmAssist.Server", "-c", "Release", "-o", fresh, "-v", "quiet"], { quiet: true, env });
    replaceServer(fresh);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    say(`Built in ${seconds} s: ${serverProgram}`, `Compilado en ${seconds} s: ${serverProgram}`);
  });
  return { env };
}

function replaceServer(fresh) {
  try {
    rmSync(serverFolder, { recursive: true, force: true });
    renameSync(fresh, serverFolder);
  } catch (error) {
    throw new Failure(
      `${serverFolder} cannot be replaced (${error.code}). Close the editors that use this server and try again.`,
      `No se puede reemplazar ${serverFolder} (${error.code}). Cierre los editores que usan este servidor y vuelva a intentarlo.`);
  }
}

await main(import.meta.url, async () => {
  await build();
});
