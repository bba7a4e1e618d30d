// The page on other editors against the files that it is about: what one of them has and the other has not fails.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer, workspace } from './server.mjs';

const server = join(dirname(fileURLToPath(import.meta.url)), '../../server');
const read = path => readFileSync(join(server, path), 'utf8');
const matches = (text, pattern) => [...new Set([...text.matchAll(pattern)].map(([, found]) => found))].sort();
const blocks = text => [...text.matchAll(/```\w*\n(.*?)```/gs)].map(([, block]) => block);

const page = read('docs/editors.md');
const lua = read('editors/neovim/lua/llm-assist.lua');
const lisp = read('editors/emacs/llm-assist.el');

test('the Spanish page of the editors has the same code, commands and sections', () => {
  const spanish = read('docs/editors.es.md');
  assert.deepEqual(blocks(spanish), blocks(page));
  const parts = text => text.split('\n').filter(line => /^(## |\| `)/.test(line)).map(line => line.split(' | ')[0]);
  assert.equal(parts(spanish).length, parts(page).length);
  assert.deepEqual(parts(spanish).filter(line => line.startsWith('|')), parts(page).filter(line => line.startsWith('|')));
});

test('the page has every command of Neovim, and no other', () =>
  assert.deepEqual(matches(page, /^\| `:LlmAssist(\w+)/gm), matches(lua, /add\('(\w+)'/g)));

test('the page has every option of Neovim, and no other', () =>
  assert.deepEqual(matches(page.slice(page.indexOf('option of `setup`')).split('\n\n')[0], /^\| `(\w+)`/gm), matches(lua, /options\.(\w+)/g)));

test('the page has every command of Emacs, and no other', () =>
  assert.deepEqual(matches(page, /^\| `M-x (llm-assist-[\w-]+)/gm), matches(lisp, /\(defun (llm-assist-[a-z-]+) [^\n]*\n(?: {2}"[^"]*"\n| {2}"[^"]*\n[^"]*"\n) {2}\(interactive/g)));

test('the page shows the whole file for Helix', () =>
  assert.ok(blocks(page).includes(read('editors/helix/languages.toml'))));

test('commands on the page and in the files are commands of the server', () => {
  const known = matches(read('docs/protocol-extensions.md'), /^### `llmAssist\.([\w.]+)`/gm);
  const used = [...matches(page, /llmAssist\.((?:models|memory|completion|ollama)\.\w+)/g),
    ...matches(lua, /execute\('([\w.]+)'/g), ...matches(lisp, /llm-assist--(?:ask|execute) "([\w.]+)"/g)];
  assert.ok(20 < used.length);
  assert.deepEqual(used.filter(command => !known.includes(command)), []);
});

test('the server takes what the file for Helix gives it, and shows what Helix throws away', { timeout: 60_000 }, async context => {
  const toml = read('editors/helix/languages.toml');
  const args = JSON.parse(/^args = (\[.*\])$/m.exec(toml)[1]);
  const [, key, value] = /^\[language-server\.llm-assist\.config\]\n([\w.]+) = (.+)$/m.exec(toml);
  const server = startServer(context, workspace(context, { 'a.py': 'x = 1\n' }), { training: { auto: false } }, args);
  // Helix sends its table as it is, and answers null for our section of it.
  await server.initialize({ initializationOptions: { [key]: JSON.parse(value), 'training.auto': false } });
  await server.connection.sendNotification('initialized', {});
  // Its picker leaves the arguments out.
  assert.equal((await server.connection.sendRequest('workspace/executeCommand', { command: 'llmAssist.memory.status' })).limitBytes, 6 * 2 ** 30);
  assert.deepEqual(server.seen.messages, []);
  await server.connection.sendRequest('workspace/executeCommand', { command: 'llmAssist.models.unloadAll' });
  assert.match(server.seen.messages.at(-1).message, /unloaded/);
  await assert.rejects(server.connection.sendRequest('workspace/executeCommand', { command: 'llmAssist.models.load' }));
  assert.equal(server.seen.messages.at(-1).type, 1);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
