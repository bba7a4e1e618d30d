// The server in an editor that we did not write: headless Neovim with its built-in client and the file that we ship for it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleFiles, workspace } from './server.mjs';
import { startStandIn } from './standin.mjs';

const missing = spawnSync('nvim', ['--version']).error ? 'Neovim is not installed (nvim on the PATH)' : undefined;

test('Neovim attaches, types, completes and executes commands', { timeout: 120_000, skip: process.env.LLMASSIST_REQUIRE_ALL === '1' ? undefined : missing }, async context => {
  assert.equal(missing, undefined);
  const space = workspace(context, { ...sampleFiles(), 'src/new.ts': '', '.git/HEAD': 'ref: refs/heads/main\n' });
  const ollama = await startStandIn(context, {
    models: [{ name: 'qwen2.5-coder:1.5b' }, { name: 'codellama:7b', sizeBytes: 3_800_000_000 }], registry: [{ name: 'starcoder2:3b', family: 'starcoder2' }],
    loadMilliseconds: 2000,
  });
  const here = dirname(fileURLToPath(import.meta.url));
  const run = spawnSync('nvim', ['--headless', '--clean', '-n', '-u', join(here, 'neovim.lua')], {
    env: {
      ...process.env, LLMASSIST_HOME: space.home, OLLAMA_HOST: ollama, LC_ALL: 'C',
      E2E_EDITOR: join(here, '../../server/editors/neovim'), E2E_FILE: join(space.folder, 'src/new.ts'),
      XDG_STATE_HOME: space.home, XDG_CACHE_HOME: space.home, XDG_CONFIG_HOME: space.home,
    },
    encoding: 'utf8',
    timeout: 110_000,
  });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  const said = Object.fromEntries(run.stdout.trim().split('\n').map(line => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]));
  assert.equal(said.absent, 'true');
  assert.equal(said.root, space.folder);
  assert.equal(said.completion, 'true');
  assert.ok(said.labels.split(',').includes('parseInventory'), said.labels);
  assert.equal(said.first, 'parseInventory(content);');
  assert.equal(said.omni, '  const inventory = parseInventory(content);');
  assert.equal(said.accepted, '  const inventory = parseInventory(content);X');
  assert.match(said.explain, /^inline, pattern, .* ms \/ +\d+ %  parseInventory\(content\);  \(pattern\)/);
  assert.match(said.chosen, /^● ws_\d+_\d+  \(in memory, \d+ [KM]B\) \/ Unload$/);
  assert.match(said.unload, /is unloaded/);
  assert.match(said.unloaded, /^Models take 0 KB of 2\.0 GB\. \/ This machine has/);
  assert.match(said.load, /is loaded/);
  assert.match(said.pin, /stays in memory/);
  assert.match(said.memory, /pattern:ws_\d+_\d+: \d+ [KM]B, pinned/);
  assert.equal(said.limit, 'The memory limit is 3.0 GB.');
  assert.match(said.nonsense, /^'nonsense' is no memory limit; expected is one of low/);
  assert.match(said.history, /load +pattern:ws_/);
  assert.match(said.train, /^Learned \d+ tokens in .* s; the model is in use\.$/);
  assert.equal(said.progress, 'true');
  assert.equal(said.pull, 'starcoder2:3b is there; load it to have completions from it.');
  assert.equal(said.idle, 'There is nothing to cancel.');
  assert.doesNotMatch(said.canceled, /ollama:qwen/);
  assert.match(said.loadOllama, /^qwen2\.5-coder:1\.5b is loaded: 1\.3 GB of RAM/);
  assert.match(said.refused, /^codellama:7b was not loaded: it needs/);
  assert.match(said.unloadAll, /unloaded/);
  assert.equal(said.left, 'true');
  assert.match(said.without, /^LLM Assist does not run/);
  assert.ok('OK' in said);
});
