// npm run weights [-- --check]: trains all that the pattern model ships with, from pinned corpora: the list of common words, what is usual in
// each language, then the weights that the mixture begins with; and measures them on corpora from which nothing was learned, with a model of
// the rest of each corpus and without. With --check it only measures what is there.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { corporaFor, fetchCorpora, licences } from "./corpora.mjs";
import { dotnet, Failure, main, root, run } from "./lib.mjs";

const folder = path.join(root, ".cache", "corpora");
const patterns = path.join(root, "server", "LlmAssist.Engine", "Patterns");
const priors = path.join(root, "server", "priors");

// Of each prior. What was seen less often than that is nothing that is usual, however much room there is.
const megabytes = 3;
const prune = 8;

await main(import.meta.url, async (args) => {
  if (args.some((arg) => arg !== "--check")) {
    throw new Failure(`Not understood: ${args.join(" ")}. Expected: npm run weights [-- --check]`, `No se entiende: ${args.join(" ")}. Se esperaba: npm run weights [-- --check]`);
  }
  const { env } = await build();
  const { command } = await dotnet();
  const tuning = async (...rest) => await run(command, ["run", "-c", "Release", "--project", "server/LlmAssist.Tuning", "--", ...rest], { env });
  if (!args.includes("--check")) {
    const development = await fetchCorpora(corporaFor("development"), folder);
    const usual = await fetchCorpora(corporaFor("prior"), folder);
    await tuning("words", path.join(patterns, "CommonWords.txt"), ...development, ...usual);
    // The words decide about contexts, and with the priors the weights learn: "run" builds the program anew each time.
    for (const name of new Set(corporaFor("prior").map(({ prior }) => prior))) {
      const sources = corporaFor("prior").filter(({ prior }) => prior === name).map((corpus) => path.join(folder, corpus.name));
      await tuning("prior", path.join(priors, `${name}.pattern`), "--megabytes", String(megabytes), "--prune", String(prune), ...sources);
    }
    writeFileSync(path.join(priors, "NOTICES.md"), licences());
    await tuning("weights", path.join(patterns, "Mixture.weights"), ...development);
  }
  const test = await fetchCorpora(corporaFor("test"), folder);
  await tuning("weights", "", "--check", ...test);
  const proof = await fetchCorpora(corporaFor("proof"), folder);
  const measured = ["--tokens", "30000", "--splits", "3"];
  await tuning("weights", "", ...measured, "--check", ...proof);
  await tuning("weights", "", ...measured, "--cold", "--check", ...proof);
  await tuning("baseline", ...measured, ...proof);
  return 0;
});
