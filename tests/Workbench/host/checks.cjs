// What the page cannot show, asked of the editor's own API inside the extension host. Every exported check is a test of host.test.mjs; this file is
// loaded by the editor, which knows `vscode`.
const assert = require('node:assert/strict');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const vscode = require('vscode');

const patience = 30_000; // ms
const extension = vscode.extensions.getExtension('llm-assist.llm-assist');
const folder = () => vscode.workspace.workspaceFolders[0].uri.fsPath;

/** Waits until what `look` answers is accepted, and answers it. */
async function until(what, look, accepted) {
  const deadline = performance.now() + patience;
  for (;;) {
    const seen = await look();
    if (accepted(seen)) {
      return seen;
    }
    assert.ok(performance.now() < deadline, `never came: ${what}; last seen: ${JSON.stringify(seen)}`);
    await pause(50);
  }
}

/** The labels that the list would have at the end of what was begun in a file. */
async function labels() {
  const document = await vscode.workspace.openTextDocument(join(folder(), 'src/words.ts'));
  await vscode.window.showTextDocument(document);
  const end = document.lineAt(1).range.end;
  const { items } = await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', document.uri, end);
  return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
}

const checks = {
  async 'activates without keeping the editor waiting'() {
    const started = performance.now();
    await extension.activate();
    const waited = performance.now() - started;
    // The server starts meanwhile; a bundle of this size is read in a tenth of it.
    assert.ok(waited < 1000, `${waited} ms`);
  },

  async 'registers every command that it contributes'() {
    const all = new Set(await vscode.commands.getCommands(true));
    const missing = extension.packageJSON.contributes.commands.map(({ command }) => command).filter(command => !all.has(command));
    assert.deepEqual(missing, []);
  },

  async 'completes words in a real file'() {
    await until('parseInventory', labels, seen => seen.includes('parseInventory'));
  },

  async 'hands changed settings on to the server'() {
    const change = value => vscode.workspace.getConfiguration('llmAssist').update('completion.list', value, vscode.ConfigurationTarget.Global);
    await change(false);
    await until('a list without ours', labels, seen => !seen.includes('parseInventory'));
    await change(undefined);
    await until('a list with ours again', labels, seen => seen.includes('parseInventory'));
  },
};

exports.run = async () => {
  const results = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      results.push({ name });
    } catch (error) {
      results.push({ name, error: error.stack });
    }
  }
  writeFileSync(process.env.LLMASSIST_CHECKS, JSON.stringify(results));
};
