// npm run fake-ollama [-- OPTIONS]: builds the stand-in for Ollama that the tests use and runs it; --help tells its options.
import path from "node:path";
import { artifacts, dotnet, main, once, run, say } from "./lib.mjs";

const folder = path.join(artifacts, "fake-ollama");
export const fakeOllama = path.join(folder, process.platform === "win32" ? "fake-ollama.exe" : "fake-ollama");

export async function buildFakeOllama() {
  const { command, env } = await dotnet();
  await once("fake-ollama", ["tests/LlmAssist.FakeOllama", "tests/Directory.Build.props", "server"], fakeOllama, async () => {
    say("Building the stand-in for Ollama ...", "Compilando el sustituto de Ollama ...");
    await run(command, ["publish", "tests/LlmAssist.FakeOllama", "-c", "Release", "-o", folder, "-v", "quiet"], { quiet: true, env });
  });
  return { env };
}

await main(import.meta.url, async (args) => {
  const { env } = await buildFakeOllama();
  // npm runs scripts in the repository; a relative name is meant from where the user is.
  const { code } = await run(fakeOllama, args, { mayFail: true, env, cwd: process.env.INIT_CWD ?? process.cwd() });
  return code;
});
