// Having completions, or not having them: for a while, for a language, altogether; and being told why there are none.
import assert from 'node:assert/strict';
import { session } from './session.mjs';

const begun = 'class Begun(Shape):\n    def shift(self, wide, tall):\n        ';
const part = number => `    def shift${number}(self, wide, tall):\n        self.move(wide, tall)\n        return max(wide, ${number})\n`;
const shapes = Array.from({ length: 20 }, (_, file) => [`shapes/shape${file}.py`, `class Shape${file}(Shape):\n${Array.from({ length: 10 }, (_, index) => part(file * 10 + index)).join('\n')}`]);
const names = ['snoozed', 'awake', 'language', 'again', 'override', 'cursors', 'counted', 'later'];
const files = Object.fromEntries([...shapes, ...names.map(name => [`src/${name}.py`, `${begun}\n`]), ['src/indented.py', `${begun.trimEnd()}\n\n`]]);
const rest = 've(wide, tall)';
const why = 'LLM Assist: Why This Suggestion, or None?';

session('completions', { files }, async ({ step, window, workbench }) => {
  /** Types where a suggestion is due, into a file of its own. */
  const typeInto = async name => {
    await window.openFile(`src/${name}.py`, 3, 9);
    await window.type('self.mo');
  };
  /** There is none, and the page says why. */
  const isNone = async (name, reason) => {
    await window.palette(why);
    await window.webview(reason);
    assert.equal(await window.shownGhostText(), undefined);
    await window.palette('View: Close Editor');
    await forget(name);
  };
  /** What is left half typed would be learned from: of the next file, too, as little would be expected. */
  const forget = async name => {
    await window.openFile(`src/${name}.py`);
    await window.palette('File: Revert File');
    await window.palette('View: Close Editor');
  };

  await step('suggestions are snoozed, and say so', async () => {
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    await window.palette('LLM Assist: Snooze Suggestions…');
    await window.choose('30 minutes');
    await window.status(/Suggestions are snoozed until/);
    await typeInto('snoozed');
    await isNone('snoozed', /Suggestions are snoozed until .*End Snooze/);
    await window.hoverStatus(/snoozed until[\s\S]*End Snooze/);
    await window.screenshot('completions-snoozed');
  });

  await step('and are back when the user says so', async () => {
    await window.clickLink('End Snooze');
    await window.status(/^(?!.*snoozed)/);
    await window.leaveStatus();
    await typeInto('awake');
    await window.ghostText(rest);
    await window.press('Escape');
    await forget('awake');
  });

  await step('a language is turned off, and on again', async () => {
    await window.openFile('src/language.py');
    await window.palette('LLM Assist: Turn Completions On or Off for the Current Language');
    await window.said(/Completions are off for python/);
    await typeInto('language');
    await isNone('language', /Completions are switched off for python, by the setting llmAssist\.completion\.languages/);
    await window.openFile('src/again.py', 3, 9);
    await window.palette('LLM Assist: Turn Completions On or Off for the Current Language');
    await window.said(/Completions are on for python/);
    await window.openFile('src/again.py', 3, 9);
    await window.type('self.mo');
    await window.ghostText(rest);
    await window.press('Escape');
    await forget('again');
  });

  await step('settings of a language are honored', async () => {
    await window.set({ '[python]': { 'llmAssist.completion.inline': false } });
    await typeInto('override');
    await isNone('override', /Ghost text is switched off here, by the setting llmAssist\.completion\.inline/);
    await window.set({});
  });

  await step('Tab indents a line, even where ghost text begins with the indentation', async () => {
    await window.openFile('src/indented.py', 3, 1);
    await window.palette('Trigger Inline Suggestion');
    await window.ghostText(/^ {8}self/);
    await window.press('Tab');
    // As far as the editor indents, and no further; what is left of the suggestion stays.
    await window.ghostText(/^self/);
    assert.equal(await window.save('src/indented.py'), `${begun}\n`);
  });

  await step('two cursors get no ghost text', async () => {
    await window.openFile('src/cursors.py', 3, 9);
    await window.palette('Add Cursor Above');
    await window.type('self.mo');
    await isNone('cursors', /There are 2 cursors; ghost text is for one/);
  });

  await step('what is taken is counted', async () => {
    await typeInto('counted');
    // The point has opened the list, whose entry the ghost text goes on with. Tab is the list's first, as the editor has it.
    await window.suggestions('move');
    await window.ghostText(rest);
    await window.press('Tab');
    await window.ghostText('(wide, tall)');
    await window.press('Tab');
    await window.noGhostText();
    assert.equal(await window.save('src/counted.py'), `${begun}self.mo${rest}\n`);
    await window.palette(why);
    await window.webview(/Accepted so far\s+suggestions: 2, characters: \d+/);
    await window.palette('View: Close Editor');
  });

  await step('an editor that draws no ghost text is offered to draw it, once', async () => {
    await window.set({ 'editor.inlineSuggest.enabled': false });
    await window.palette('Developer: Reload Window');
    await window.notification(/shows most completions as ghost text, which the editor’s setting editor\.inlineSuggest\.enabled turns off/);
    await window.screenshot('completions-offer');
    await window.clickButton('Not Now');
    await window.palette('Developer: Reload Window');
    await window.status(/^LLM Assist: ready.* 1 model loaded/);
    await typeInto('later');
    await isNone('later', /The editor draws no ghost text: its setting editor\.inlineSuggest\.enabled is off/);
    assert.deepEqual(await window.notifications(), []);
    assert.doesNotMatch(workbench.log('LLM Assist'), /\[error\]/);
  });
});
