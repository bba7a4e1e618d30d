// A folder that the user has not trusted: nothing of it is run or learned from, and whoever asks for it is told why.
import assert from 'node:assert/strict';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { session } from './session.mjs';

session('restricted', { files: sampleFiles(), trusted: false }, async ({ step, window }) => {
  await step('does not learn by itself', async () => {
    await window.status(/^LLM Assist: ready.* 0 models loaded/);
    assert.deepEqual((await window.statusHistory()).filter(label => /training/.test(label)), []);
  });

  await step('says why, and does not offer what it would refuse', async () => {
    const text = await window.hoverStatus(/This workspace is not trusted: nothing is trained on it\.[\s\S]*Manage Workspace Trust/);
    assert.doesNotMatch(text, /Train on Workspace/);
    await window.leaveStatus();
  });

  await step('learns as soon as the folder is trusted', async () => {
    await window.hoverStatus(/This workspace is not trusted/);
    await window.clickLink('Manage Workspace Trust');
    await window.trust();
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
  });
});
