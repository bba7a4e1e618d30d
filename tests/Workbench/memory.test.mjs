// What memory is taken by, and what can be done about it: in the status bar, in the list of Ctrl+M, in the picture of the last hours. A stand-in
// plays Ollama; a pattern model is trained beside it.
import assert from 'node:assert/strict';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { startStandIn } from '../EndToEnd/standin.mjs';
import { session, smallModel } from './session.mjs';

const scenario = { models: [smallModel('coder-a:1b', 'sum(orders)'), smallModel('coder-b:1b', 'fold(orders)')], running: ['coder-a:1b', 'coder-b:1b'], maxLoaded: 3 };

const start = async context => ({
  files: sampleFiles(),
  machineSettings: { 'llmAssist.ollama.endpoint': await startStandIn(context, scenario), 'llmAssist.memory.limit': 2 },
});

const label = ({ label }) => label;

session('memory', start, async ({ step, window, workbench }) => {
  await step('the status bar tells of all models', async () => {
    await window.status(/^LLM Assist: ready.* 3 models loaded/);
    assert.match(await window.statusItem(), /^[\d.\s]+\/\d+ GB · 3$/);
    const text = await window.hoverStatus(/coder-b/);
    assert.match(text, /Models\s+1\.4 GB of at most 2\.0 GB/);
    assert.match(text, /coder-a:1b \(Ollama\)\s+741 MB in RAM · 4,096 tokens of context\s+Unload/);
  });

  await step('a link of the tooltip unloads a model', async () => {
    await window.hoverStatus(/coder-b/);
    await window.clickLink('Unload', 'coder-b:1b');
    await window.status(/^LLM Assist: ready.* 2 models loaded/);
    await window.leaveStatus();
    await window.hoverStatus(/^(?![\s\S]*coder-b)[\s\S]*coder-a/);
  });

  await step('Ctrl+M shows what memory is taken by', async () => {
    await window.openFile('src/reader1.ts', 2, 1);
    await window.press('Control+M');
    const rows = await window.quickPick('Memory');
    assert.deepEqual(rows.slice(0, 3).map(label), ['System memory', 'Models', 'The server itself']);
    assert.ok(rows.some(row => row.label === 'coder-a:1b (Ollama)' && /741 MB in RAM/.test(row.description)), JSON.stringify(rows));
    assert.deepEqual(rows.slice(-4).map(label), ['Unload all', 'Set limit…', 'Choose models…', 'Memory history']);
  });

  await step('a button pins a model, and another unloads it', async () => {
    await window.pressButton('coder-a:1b (Ollama)', 'Pin');
    await window.until('a pin', () => window.rows(), rows => rows.some(row => row.label === 'coder-a:1b (Ollama)' && /pinned/.test(row.description)));
    await window.pressButton('coder-a:1b (Ollama)', 'Unload');
    await window.until('a model less', () => window.rows(), rows => !rows.some(row => row.label === 'coder-a:1b (Ollama)'));
    await window.press('Escape');
    await window.status(/ 1 model loaded/);
  });

  await step('a limit is chosen from the presets, and kept', async () => {
    await window.press('Control+M');
    await window.choose('Set limit…');
    const rows = await window.quickPick(/How much memory/);
    assert.deepEqual(rows.map(label), ['Low', 'Medium', 'High', 'Very High', 'A number of gigabytes…']);
    assert.equal(rows.filter(row => /recommended for this one/.test(row.detail)).length, 1);
    await window.choose('High');
    assert.match(await window.hoverStatus(/at most 12/), /of at most 12\.0 GB/);
    assert.equal(workbench.machineSettings()['llmAssist.memory.limit'], 'high');
  });

  await step('a limit is typed, and what is no limit is said to be none', async () => {
    await window.palette('LLM Assist: Set Memory Limit…');
    await window.choose('A number of gigabytes…');
    await window.answer('much', /“much” is no limit; expected is a number of gigabytes/);
    await window.answer('0.5');
    assert.match(await window.hoverStatus(/at most 0\.5|at most 512/), /of at most (512 MB|0\.5 GB)/);
    assert.equal(workbench.machineSettings()['llmAssist.memory.limit'], 0.5);
  });

  await step('what does not fit is refused, with the reason', async () => {
    await window.palette('LLM Assist: Load Model…');
    await window.choose('coder-a:1b');
    await window.notification(/coder-a:1b .*(needs|takes|does not fit)/);
    await window.screenshot('memory-refused');
    await window.clickButton('Set Memory Limit');
    await window.quickPick(/How much memory/);
    await window.press('Escape');
    await window.clearNotifications();
  });

  await step('the last hours are drawn, with what happened and why', async () => {
    await window.palette('LLM Assist: Show Memory History');
    const text = await window.webview(/not let in[\s\S]*unloaded/);
    assert.match(text, /coder-a:1b/);
    const drawing = window.webviewFrame();
    // The plot comes after the words.
    await drawing.locator('svg path.area').first().waitFor({ state: 'attached' });
    await drawing.locator('svg path.limit').first().waitFor({ state: 'attached' });
    await drawing.locator('svg path.mark-refuse').first().waitFor({ state: 'attached' });
  });

  await step('nothing went wrong on the way', () => {
    assert.doesNotMatch(workbench.log('LLM Assist'), /\[error\] (?!llmAssist\.models\.load)/);
  });
});
