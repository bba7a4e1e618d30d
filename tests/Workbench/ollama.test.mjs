// Models of Ollama, which a stand-in plays: chosen in the editor, loaded where one can watch it, asked while typing, and gone when another needs
// the room.
import assert from 'node:assert/strict';
import { startStandIn } from '../EndToEnd/standin.mjs';
import { session, smallModel } from './session.mjs';

const begun = 'def total(orders):\n    \n';

const scenario = { models: [smallModel('coder-a:1b', 'sum(order.price for order in orders)'), smallModel('coder-b:1b', 'fold(orders)')], loadMilliseconds: 1500, maxLoaded: 3 };

const start = async context => ({
  files: { 'orders.py': begun, 'other.py': begun },
  // The stand-in says the same at every key, and is trusted less for it.
  settings: { 'llmAssist.completion.source': 'ollama', 'llmAssist.completion.minConfidence': 0, 'llmAssist.training.auto': false },
  machineSettings: { 'llmAssist.ollama.endpoint': await startStandIn(context, scenario), 'llmAssist.memory.limit': 1, 'llmAssist.memory.context': 4096 },
});

session('ollama', start, async ({ step, window }) => {
  await step('lists what there is to choose', async () => {
    await window.status(/^LLM Assist: (ready|working)/);
    await window.palette('LLM Assist: Choose Models…');
    const labels = (await window.quickPick()).map(({ label }) => label);
    assert.ok(labels.includes('coder-a:1b') && labels.includes('coder-b:1b'), labels.join('\n'));
  });

  await step('loads the one that was chosen, and shows that it does', async () => {
    await window.choose('coder-a:1b');
    await window.notification(/Loading coder-a:1b/);
    await window.screenshot('ollama-loading');
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    await window.until('no notification', () => window.notifications(), ({ length }) => length === 0);
    assert.match(await window.hoverStatus(/coder-a/), /coder-a:1b \(Ollama\)\s+741 MB in RAM · 4,096 tokens of context/);
  });

  await step('completes with it', async () => {
    await window.openFile('orders.py', 2, 5);
    await window.type('return ');
    await window.askedGhostText('sum(order.price for order in orders)');
    await window.press('Tab');
    assert.equal(await window.save('orders.py'), 'def total(orders):\n    return sum(order.price for order in orders)\n');
  });

  await step('makes room for another, and says so', async () => {
    await window.palette('LLM Assist: Choose Models…');
    await window.choose('coder-b:1b');
    assert.match(await window.notification(/coder-b:1b is loaded/), /Taken out of memory for it: coder-a:1b \(741 MB\)/);
    await window.screenshot('ollama-evicted');
    const tooltip = await window.hoverStatus(/coder-b/);
    assert.doesNotMatch(tooltip, /coder-a/);
  });

  await step('completes with the other', async () => {
    await window.clearNotifications();
    await window.openFile('other.py', 2, 5);
    await window.type('return ');
    await window.askedGhostText('fold(orders)');
  });

  await step('remembers why', async () => {
    await window.palette('LLM Assist: Show Memory History');
    await window.webview(/unloaded to make room[\s\S]*coder-a:1b[\s\S]*To make room for coder-b:1b/);
  });
});
