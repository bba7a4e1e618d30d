// The view of models in the side bar, training by the dialog, comparing and deleting.
import assert from 'node:assert/strict';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { startStandIn } from '../EndToEnd/standin.mjs';
import { session, smallModel } from './session.mjs';

const start = async context => ({
  files: sampleFiles(),
  settings: { 'llmAssist.training.auto': false },
  machineSettings: { 'llmAssist.ollama.endpoint': await startStandIn(context, { models: [smallModel('coder-a:1b', 'sum(orders)')] }) },
});

session('models', start, async ({ step, window }) => {
  await step('shows what there is, and offers to train', async () => {
    await window.status(/^LLM Assist: ready/);
    const rows = await window.openModels('coder-a:1b');
    assert.deepEqual(rows.map(({ label }) => label), ['This workspace', 'Train on Workspace', 'Ollama: installed', 'coder-a:1b']);
    assert.match(rows[3].description, /fits now/);
  });

  await step('a training is set up step by step', async () => {
    await window.palette('LLM Assist: Train a Model…');
    await window.quickPick(/Train a model/i);
    await window.screenshot('models-training-folders');
    await window.confirm();
    await window.answer('bad/name', /./);
    await window.answer('shop');
    await window.answer('of the first day');
    await window.models('shop', /in use/);
    await window.status(/ 1 model loaded/);
  });

  await step('a second training makes an older version of the first', async () => {
    await window.palette('LLM Assist: Train a Model…');
    await window.quickPick(/Train a model/i);
    await window.confirm();
    await window.answer('shop');
    await window.answer('');
    await window.until('two versions', () => window.modelRows(), rows => rows.some(({ label }) => label === 'shop'));
  });

  await step('two versions are compared on the code of the workspace', async () => {
    await window.pressModelButton('shop', 'Compare');
    await window.quickPick(/^Compare “shop” of .* with$/);
    await window.confirm();
    await window.quickPick('Measure both on the code in');
    await window.confirm();
    const page = await window.webview(/newer[\s\S]*older/i);
    assert.match(page, /shop/);
  });

  await step('buttons load and unload a model of Ollama', async () => {
    await window.pressModelButton('coder-a:1b', 'Load');
    await window.until('coder-a:1b in memory', () => window.modelRows(), rows => rows.some(({ label }) => label === 'Ollama: in memory'));
    await window.models('coder-a:1b', /756 MB in RAM/);
    await window.screenshot('models-loaded');
    await window.pressModelButton('coder-a:1b', 'Unload');
    await window.models('coder-a:1b', /fits now/);
  });

  await step('a model is deleted only after a yes', async () => {
    await window.pressModelButton('shop', 'Delete');
    await window.dialog(/Delete the model “shop”/);
    await window.clickButton('Cancel');
    await window.models('shop');
    await window.pressModelButton('shop', 'Delete');
    await window.dialog(/Delete the model “shop”/);
    await window.screenshot('models-delete');
    await window.clickButton('Delete');
    await window.until('one version', () => window.modelRows(), rows => rows.filter(({ label }) => label === 'shop').length === 1);
  });
});
