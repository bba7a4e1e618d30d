// npm run check: what must hold before a change is shown to others: everything builds without a warning, the clients pass
// their compiler and linter, and all tests pass but the end-to-end ones.
import { dotnet, installPackages, main, npm, run, say, workspaces } from "./lib.mjs";
import { test } from "./test.mjs";

await main(import.meta.url, async () => {
  const { command, env } = await dotnet();
  say("Building everything, warnings being errors ...", "Compilando todo, con las advertencias como errores ...");
  await run(command, ["build", "LlmAssist.sln", "-v", "quiet", "-warnaserror"], { quiet: true, env });
  await installPackages();
  for (const { folder, manifest } of workspaces()) {
    for (const script of ["typecheck", "lint"].filter((name) => manifest.scripts?.[name] !== undefined)) {
      say(`Running ${script} in ${folder} ...`, `Ejecutando ${script} en ${folder} ...`);
      await npm(["run", script, "-w", folder], { quiet: true });
    }
  }
  return test({ endToEnd: false });
});
