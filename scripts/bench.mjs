// npm run bench [-- ARGUMENTS]: measures the server as users get it.
import { build } from "./build.mjs";
import { dotnet, main, run } from "./lib.mjs";

await main(import.meta.url, async (args) => {
  const { env } = await build();
  const { command } = await dotnet();
  const { code } = await run(command, ["run", "-c", "Release", "--project", "tests/LlmAssist.Bench", "--", ...args], { mayFail: true, env });
  return code;
});
