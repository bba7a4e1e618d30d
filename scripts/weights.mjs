// npm run weights [-- --check]: trains all that the pattern model ships with, from pinned corpora: the list of common words, then the weights
// that the mixture begins with; and measures them on corpora from which nothing was learned. With --check it only measures what is there.
import path from "node:path";
import { build } from "./build.mjs";
import { corporaFor, fetchCorpora } from "./corpora.mjs";
import { dotnet, Failure, main, root, run } from "./lib.mjs";

const folder = path.join(root, ".cache", "corpora");
const patterns = path.join(root, "server", "LlmAssist.Engine", "Patterns");

await main(import.meta.url, async (args) => {
  if (args.some((arg) => arg !== "--check")) {
    throw new Failure(`Not understood: ${args.join(" ")}. Expected: npm run weights [-- --check]`, `No se entiende: ${args.join(" ")}. Se esperaba: npm run weights [-- --check]`);
  }
  const { env } = await build();
  const { command } = await dotnet();
  const tuning = async (...rest) => await run(command, ["run", "-c", "Release", "--project", "server/LlmAssist.Tuning", "--", ...rest], { env });
  if (!args.includes("--check")) {
    const development = await fetchCorpora(corporaFor("development"), folder);
    await tuning("words", path.join(patterns, "CommonWords.txt"), ...development);
    // The words decide about contexts, so the program is built anew before the weights are learned.
    await tuning("weights", path.join(patterns, "Mixture.weights"), ...development);
  }
  await tuning("weights", "", "--check", ...await fetchCorpora(corporaFor("test"), folder));
  return 0;
});
