// npm run pictures: takes the pictures of the READMEs anew, from the real workbench with the packaged extension, a model trained on this
// repository, and the stand-in for Ollama. Into client-vscode/media; look at them before committing.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { browserProgram, openBrowser } from "../client-vscode/workbench/browser.mjs";
import { install } from "../client-vscode/workbench/install.mjs";
import { startWorkbench } from "../client-vscode/workbench/workbench.mjs";
import { startStandIn } from "../tests/EndToEnd/standin.mjs";
import { buildFakeOllama } from "./fake-ollama.mjs";
import { Failure, main, root, say } from "./lib.mjs";
import { packagedClient } from "./package.mjs";

const media = path.join(root, "client-vscode", "media");
const size = { width: 1280, height: 760 };

async function take(window, workbench) {
  const picture = async (name, clip) => {
    const file = path.join(media, `${name}.png`);
    await window.page.screenshot({ path: file, clip });
    say(`${path.relative(root, file)}: ${Math.ceil(statSync(file).size / 1024)} KB`, `${path.relative(root, file)}: ${Math.ceil(statSync(file).size / 1024)} KB`);
  };
  // The box of what is on screen, and some room around it.
  const around = async (selector, { left = 12, top = 12, right = 12, bottom = 12 } = {}) => {
    const box = await window.page.locator(selector).first().boundingBox();
    const x = Math.max(0, box.x - left);
    const y = Math.max(0, box.y - top);
    return { x, y, width: Math.min(size.width, box.x + box.width + right) - x, height: Math.min(size.height, box.y + box.height + bottom) - y };
  };

  await window.openFile("Sharing/Newest.cs", 11, 9);
  await window.type("catch (Exception exception) when (Shared");
  await window.ghostText();
  await picture("ghost-text", { ...await around(".editor-instance .monaco-editor", { left: 0, top: 36, right: 0, bottom: 0 }), height: 330 });
  await window.press("Escape");

  await window.hoverStatus(/Models/);
  await picture("status", await around(".monaco-hover:visible", { left: 60, bottom: 34 }));
  await window.leaveStatus();

  await window.palette("LLM Assist: Choose Models…");
  await window.quickPick();
  await picture("ollama-choose", await around(".quick-input-widget:visible", { top: 0 }));
  await window.choose("qwen2.5-coder:1.5b");
  await window.status(/ready.* 2 models loaded/);
  await window.until("no notification", () => window.notifications(), ({ length }) => length === 0);

  await window.hoverStatus(/qwen2\.5-coder/);
  await picture("ollama-status", await around(".monaco-hover:visible", { left: 60, bottom: 34 }));
  await window.leaveStatus();

  await window.palette("LLM Assist: Show Memory");
  await window.quickPick("Memory");
  await picture("memory-list", await around(".quick-input-widget:visible", { top: 0 }));
  await window.press("Escape");

  await window.openModels("qwen2.5-coder:1.5b");
  await window.page.mouse.move(700, 500);
  await picture("models", { ...await around(".part.sidebar", { left: 48, top: 0, right: 0, bottom: 0 }), height: 330 });

  writeDay(workbench);
  await window.palette("File: Revert File");
  await window.palette("View: Close All Editors");
  await window.palette("View: Toggle Primary Side Bar Visibility");
  await window.palette("LLM Assist: Show Memory History");
  await window.webview(/What happened[\s\S]*to make room/);
  await picture("memory-history", { ...await around(".part.editor", { left: 0, top: 0, right: 0, bottom: 0 }), height: 640 });
}

// The code of this repository, and a file that somebody has just begun.
function sources(folder) {
  const files = readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cs"));
  return {
    ...Object.fromEntries(files.map((name) => [name, readFileSync(path.join(root, folder, name), "utf8")])),
    "Sharing/Newest.cs": [
      "namespace LlmAssist.Engine.Sharing;", "", "internal static class NewestNote", "{", "    public static string? Read(string path)", "    {",
      "        try", "        {", "            return File.ReadAllText(path);", "        }", "        ", "        {", "            return null;", "        }", "    }", "}", "",
    ].join("\n"),
  };
}

// Models as they are in the world, as far as their sizes go.
const scenario = {
  models: [["qwen2.5-coder:1.5b", 986e6, "1.5B"], ["qwen2.5-coder:7b", 4683e6, "7.6B"], ["deepseek-coder:1.3b-base", 776e6, "1B"], ["starcoder2:15b", 9064e6, "16B"]]
    .map(([name, sizeBytes, parameterSize]) => ({ name, sizeBytes, parameterSize, reply: "resident.Bytes;" })),
  loadMilliseconds: 1200,
};

// An invented day of a machine with 16 GB, in the file that windows share (MemoryHistory.cs tells its form).
function writeDay(workbench) {
  const gigabyte = 1024 ** 3;
  const now = Date.now();
  const lines = [];
  const plan = [
    { from: 22, to: 18.5, id: "ollama:qwen2.5-coder:1.5b", size: 1.4 }, { from: 18.5, to: 17, id: "ollama:qwen2.5-coder:7b", size: 5.2 },
    { from: 9, to: 4.2, id: "ollama:qwen2.5-coder:1.5b", size: 1.4 }, { from: 6.5, to: 4.8, id: "ollama:llama3.2:3b", size: 2.6 },
    { from: 3.6, to: 0, id: "ollama:qwen2.5-coder:1.5b", size: 1.4 },
  ];
  const isAwake = (hours) => hours < 9.2 || (16.2 < hours && hours < 22.4);
  for (let hours = 23.9; 0 < hours; hours -= 0.5 / 60) {
    if (isAwake(hours)) {
      const held = plan.filter(({ from, to }) => to <= hours && hours < from);
      const models = held.reduce((sum, { size: taken }) => sum + taken, 0.03);
      const used = 6.1 + models + Math.sin(hours * 2.1) * 0.5 + Math.sin(hours * 17) * 0.12;
      lines.push({
        t: Math.round(now - hours * 3_600_000), m: 16 * gigabyte, a: Math.round((16 - used) * gigabyte), l: 6 * gigabyte,
        s: { "pattern:llm-assist_20261120_090000": Math.round(0.03 * gigabyte), ...Object.fromEntries(held.map(({ id, size: taken }) => [id, Math.round(taken * gigabyte)])) },
      });
    }
  }
  const event = (hours, kind, model, taken, english) => lines.push({
    t: Math.round(now - hours * 3_600_000), k: kind[0].toUpperCase() + kind.slice(1), i: `ollama:${model}`, b: Math.round(taken * gigabyte), en: english, es: english,
  });
  event(22, "load", "qwen2.5-coder:1.5b", 1.4, "It was asked for, with 6000 tokens of context.");
  event(18.5, "evict", "qwen2.5-coder:1.5b", 1.4, "To make room for qwen2.5-coder:7b.");
  event(18.49, "load", "qwen2.5-coder:7b", 5.2, "It was asked for, with 4000 tokens of context.");
  event(17, "unload", "qwen2.5-coder:7b", 5.2, "It was asked for.");
  event(9, "load", "qwen2.5-coder:1.5b", 1.4, "It was asked for, with 6000 tokens of context.");
  event(6.5, "load", "llama3.2:3b", 2.6, "Another program has loaded it.");
  event(5.6, "refuse", "starcoder2:15b", 10.6, "starcoder2:15b was not loaded: it needs 10.6 GB, more than the limit of 6.0 GB. Choose a smaller model or quantization, or raise llmAssist.memory.limit.");
  event(4.8, "expire", "llama3.2:3b", 2.6, "Nobody had used it for as long as it was to be kept.");
  event(4.2, "unload", "qwen2.5-coder:1.5b", 1.4, "It was asked for.");
  event(3.6, "load", "qwen2.5-coder:1.5b", 1.4, "It was asked for, with 6000 tokens of context.");
  const folder = path.join(workbench.home, "llm-assist", "state", hostname());
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "memory-history.jsonl"), lines.sort((left, right) => left.t - right.t).map((line) => `${JSON.stringify(line)}\n`).join(""));
}

await main(import.meta.url, async () => {
  if (browserProgram() === undefined) {
    throw new Failure(
      "The pictures need Chromium, which is not on the PATH. Install it, or name it in CHROMIUM.",
      "Las imágenes necesitan Chromium, que no está en el PATH. Instálelo o indíquelo en CHROMIUM.");
  }
  const programs = await install();
  const { vsix, env } = await packagedClient();
  await buildFakeOllama();
  // In the order of their beginning; they end the other way round.
  const ends = [];
  try {
    const endpoint = await startStandIn({ after: (end) => ends.push(end) }, scenario);
    const workbench = await startWorkbench({
      programs,
      vsix: [vsix],
      name: "llm-assist",
      files: sources("server/LlmAssist.Engine"),
      environment: env,
      settings: { "workbench.colorTheme": "Default Dark Modern", "editor.fontSize": 15, "breadcrumbs.enabled": false },
      machineSettings: { "llmAssist.ollama.endpoint": endpoint },
    });
    ends.push(() => workbench.stop());
    const window = await openBrowser(workbench, { size, scale: 1.5 });
    ends.push(() => window.close());
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    await take(window, workbench);
  } finally {
    for (const end of ends.reverse()) {
      await end();
    }
  }
});
