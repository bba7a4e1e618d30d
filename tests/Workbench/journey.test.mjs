// What somebody meets who installs the extension, opens a folder and types: the real editor, the packaged server, pattern models alone.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { session, withoutLogs } from './session.mjs';

const begun = 'export async function loadOrders(path: string) {\n  \n}\n';

const begunShape = 'class Begun(Shape):\n    def shift(self, wide, tall):\n        ';

/** Enough to learn from that it can be watched: the samples, often enough to be sure of, and a lot of another language. */
const files = () => {
  const samples = Object.entries(sampleFiles()).flatMap(([name, text]) => Array.from({ length: 20 }, (_, copy) => [name.replace('src/', `samples/${copy}/`), text]));
  const part = number => `    def shift${number}(self, wide, tall):\n        self.move(wide, tall)\n        return max(wide, ${number})\n`;
  // The status is told once a second: some seconds' worth.
  const more = Array.from({ length: 300 }, (_, file) => [
    `shapes/shape${file}.py`, `class Shape${file}(Shape):\n${Array.from({ length: 500 }, (_, index) => part(file * 500 + index)).join('\n')}`,
  ]);
  const begunFiles = ['orders', 'again', 'declined', 'after'].map(name => [`src/${name}.ts`, begun]);
  // For the list: no other extension fills it there.
  const begunShapes = ['words', 'listed'].map(name => [`shapes/${name}.py`, `${begunShape}\n`]);
  return Object.fromEntries([...samples, ...more, ...begunFiles, ...begunShapes]);
};

const line = "  const content = await readFile(path, 'utf8');";
const withLine = begun.replace('  ', line);

session('journey', { files: files() }, async ({ step, window, workbench }) => {
  await step('learns from the folder by itself, and shows that it does', async () => {
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    const said = await window.statusHistory();
    assert.ok(said.some(label => /^LLM Assist: training, \d+%/.test(label)), said.join('\n'));
    assert.match(await window.statusItem(), /^[\d.]+\/\d+ GB · 1$/);
    assert.deepEqual(await window.notifications(), []);
  });

  await step('tells more under the pointer', async () => {
    const text = await window.hoverStatus(/Models/);
    assert.match(text, /LLM Assist: ready/);
    assert.match(text, /System memory\s+[\d.]+ GB of [\d.]+ GB \(\d+%\)/);
    assert.match(text, /Models\s+\d+ [KM]B of at most 6\.0 GB/);
    assert.match(text, /\bws\s+[\d.]+ [KM]B (of [\d.]+ [KM]B )?in RAM/);
    assert.match(text, /Train on Workspace · Choose Models · Set Memory Limit · Why This Suggestion, or None\? · Show Log/);
  });

  await step('shows ghost text while one types, and Tab takes it', async () => {
    await window.openFile('src/orders.ts', 2, 3);
    await window.type('const con');
    assert.equal(await window.ghostText(), "tent = await readFile(path, 'utf8');");
    await window.screenshot('journey-ghost-text');
    await window.press('Tab');
    await window.noGhostText();
    assert.equal(await window.save('src/orders.ts'), withLine);
  });

  await step('has words in the list of suggestions', async () => {
    await window.openFile('shapes/words.py', 3, 9);
    await window.type('self.mo');
    await window.press('Control+Space');
    assert.equal((await window.suggestions('move'))[0], 'move');
    await window.screenshot('journey-suggestions');
    await window.accept('move');
    assert.equal(await window.save('shapes/words.py'), `${begunShape}self.move\n`);
  });

  await step('follows the settings: no ghost text, and the list by itself', async () => {
    await window.set({ 'llmAssist.completion.inline': false, 'editor.quickSuggestions': { other: 'on' } });
    await window.openFile('shapes/listed.py', 3, 9);
    await window.type('self.mo');
    await window.suggestions('move');
    assert.equal(await window.shownGhostText(), undefined);
    await window.press('Escape');
    assert.equal(await window.save('shapes/listed.py'), `${begunShape}self.mo\n`);
    await window.set({});
  });

  await step('gives ghost text word by word', async () => {
    await window.openFile('src/again.ts', 2, 3);
    await window.type('const con');
    let rest = await window.ghostText("tent = await readFile(path, 'utf8');");
    // What counts as a word is the editor's business.
    for (let words = 0; words < 3; words++) {
      await window.press('Control+ArrowRight');
      const whole = rest;
      rest = await window.until('less ghost text', () => window.shownGhostText(), text => text !== undefined && text.length < whole.length);
      assert.ok(whole.endsWith(rest), rest);
    }
    await window.screenshot('journey-word-by-word');
    await window.press('Tab');
    await window.noGhostText();
    assert.equal(await window.save('src/again.ts'), withLine);
  });

  await step('takes no for an answer', async () => {
    await window.openFile('src/declined.ts', 2, 3);
    await window.type('const con');
    await window.ghostText();
    await window.press('Escape');
    await window.noGhostText();
    // That nothing comes has no state to wait for. A suggestion takes a tenth of a second.
    await pause(1500);
    assert.equal(await window.shownGhostText(), undefined);
    await window.type('t');
    assert.equal(await window.ghostText(), "ent = await readFile(path, 'utf8');");
    await window.press('Escape');
    assert.equal(await window.save('src/declined.ts'), begun.replace('  ', '  const cont'));
  });

  await step('explains the last completion', async () => {
    await window.palette('LLM Assist: Why This Suggestion, or None?');
    await window.webview(/The last completion[\s\S]*the pattern model/);
  });

  await step('has logged no trouble so far', () => {
    const log = workbench.log('LLM Assist');
    assert.match(log, /\[info\] Server: .*llm-assist, 0\.1\.0/);
    assert.doesNotMatch(log, /\[(warning|error)\]/);
  }, withoutLogs);

  await step('is back by itself after the server was killed', async () => {
    const [before, ...others] = await workbench.processes();
    assert.ok(before !== undefined && others.length === 0);
    process.kill(before, 'SIGKILL');
    await window.until('another server', () => workbench.processes(), ids => ids.length === 1 && ids[0] !== before);
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    assert.ok((await window.statusHistory()).includes('LLM Assist: starting'));
    assert.deepEqual(await window.notifications(), []);
    await window.openFile('src/after.ts', 2, 3);
    await window.type('const con');
    await window.ghostText("tent = await readFile(path, 'utf8');");
  });
});
