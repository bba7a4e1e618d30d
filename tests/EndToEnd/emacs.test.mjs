// The server in an editor that we did not write: batch Emacs with Eglot and the file that we ship for it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleFiles, workspace } from './server.mjs';
import { startStandIn } from './standin.mjs';

const eglot = spawnSync('emacs', ['--batch', '-q', '--eval', `(progn (package-initialize) (require 'eglot))`]);
const missing = eglot.error ? 'Emacs is not installed (emacs on the PATH)' : eglot.status !== 0 ? 'Eglot is not installed (elpa-eglot, or Emacs 29)' : undefined;

test('Emacs connects, types, completes and executes commands', { timeout: 120_000, skip: process.env.LLMASSIST_REQUIRE_ALL === '1' ? undefined : missing }, async context => {
  assert.equal(missing, undefined);
  const space = workspace(context, { ...sampleFiles(), 'src/new.ts': '' });
  // What Emacs takes for a project.
  assert.equal(spawnSync('git', ['init', '--quiet', space.folder]).status, 0);
  const ollama = await startStandIn(context, {
    models: [{ name: 'qwen2.5-coder:1.5b' }, { name: 'codellama:7b', sizeBytes: 3_800_000_000 }], registry: [{ name: 'starcoder2:3b', family: 'starcoder2' }],
  });
  const here = dirname(fileURLToPath(import.meta.url));
  const run = spawnSync('emacs', ['--batch', '-q', '-l', join(here, 'emacs.el')], {
    env: {
      ...process.env, LLMASSIST_HOME: space.home, OLLAMA_HOST: ollama, LC_ALL: 'C.UTF-8', HOME: dirname(space.folder),
      E2E_EDITOR: join(here, '../../server/editors/emacs'), E2E_FILE: join(space.folder, 'src/new.ts'),
    },
    encoding: 'utf8',
    timeout: 110_000,
  });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  const said = Object.fromEntries(run.stdout.trim().split('\n').map(line => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]));
  assert.equal(said.hook, '(eglot-ensure)');
  assert.equal(said.absent, 't');
  assert.equal(said.class, 'llm-assist-server');
  assert.match(said.line, /^ \[LLM Assist \d+ [KM]B\/2\.0 GB\]$/);
  assert.equal(said.complaints, '0');
  assert.deepEqual(said.completions.split(',').slice(0, 2), ['parseInventory(content);', 'parseInventory']);
  assert.equal(said.completed, '  const inventory = parseInventory');
  assert.equal(said.accepted, '  const inventory = parseInventory(content);X');
  assert.match(said.explain, /^inline, pattern, .* ms \/ +\d+ %  parseInventory\(content\);  \(pattern\)/);
  assert.match(said.unload, /is unloaded/);
  assert.match(said.unloaded, /^Models take 0 KB of 2\.0 GB\. \/ This machine has/);
  assert.match(said.load, /is loaded/);
  assert.match(said.pin, /stays in memory/);
  assert.match(said.memory, /pattern:ws_\d+_\d+: \d+ [KM]B, pinned/);
  assert.equal(said.limit, 'The memory limit is 3.0 GB.');
  assert.match(said.nonsense, /^'nonsense' is no memory limit; expected is one of low/);
  assert.match(said.history, /load +pattern:ws_/);
  assert.match(said.train, /^Learned \d+ tokens in .* s; the model is in use\.$/);
  assert.equal(said.pull, 'starcoder2:3b is there; load it to have completions from it.');
  assert.match(said.loadOllama, /^qwen2\.5-coder:1\.5b is loaded: 1\.3 GB of RAM/);
  assert.match(said.refused, /^codellama:7b was not loaded: it needs/);
  assert.match(said.failure, /^There is no model 'nonsense'/);
  assert.match(said.unloadAll, /unloaded/);
  assert.equal(said.running, 'nil');
  assert.match(said.without, /^LLM Assist does not run/);
  assert.ok('OK' in said);
});
