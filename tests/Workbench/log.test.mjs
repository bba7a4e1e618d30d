// What the log holds, at the level that the user has set.
import assert from 'node:assert/strict';
import { session, withoutLogs } from './session.mjs';

const talk = /Sending request 'workspace\/executeCommand/g;

session('log', {}, async ({ step, window, workbench }) => {
  const log = () => workbench.log('LLM Assist');
  const askForMemory = async () => {
    await window.press('Control+M');
    await window.quickPick();
    await window.press('Escape');
  };
  const level = async name => {
    await window.palette('Developer: Set Log Level...');
    await window.fill('LLM Assist');
    await window.choose('LLM Assist');
    await window.quickPick();
    await window.choose(new RegExp(`^${name}`));
    await window.until('the end of the question', () => window.rows(), ({ length }) => length === 0);
  };

  await step('holds nothing of the talk with the server at first', async () => {
    await window.status(/^LLM Assist: ready/);
    await askForMemory();
    await window.until('the first lines', log, text => /\[info\] Server: /.test(text));
    assert.doesNotMatch(log(), talk);
  }, withoutLogs);

  await step('holds all of it at Trace, from that moment on', async () => {
    await level('Trace');
    await askForMemory();
    await window.until('the talk', log, text => /\[trace\] Sending notification '\$\/setTrace'[\s\S]*"verbose"/.test(text) && /\[trace\] Sending request 'workspace\/executeCommand[\s\S]*Params: \{\s+"command": "llmAssist\.memory\.status"/.test(text));
    await window.palette('LLM Assist: Show Log');
    await window.until('the log on screen', () => window.page.locator('.output-view-content .view-line, .panel .view-line').count(), count => 0 < count);
  }, withoutLogs);

  await step('holds nothing more of it at Info', async () => {
    await level('Info');
    const times = () => log().match(talk).length;
    // The extension hears of the level a moment later.
    await window.until('the end of the talk', async () => {
      const before = times();
      await askForMemory();
      return times() - before;
    }, more => more === 0);
  }, withoutLogs);
});
