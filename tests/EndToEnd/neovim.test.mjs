// The server in an editor that we did not write: headless Neovim with its built-in client.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { executable, sampleFiles, workspace } from './server.mjs';

const missing = spawnSync('nvim', ['--version']).error ? 'Neovim is not installed (nvim on the PATH)' : undefined;

test('Neovim attaches, types, completes and executes commands', { timeout: 120_000, skip: process.env.LLMASSIST_REQUIRE_ALL === '1' ? undefined : missing }, context => {
  assert.equal(missing, undefined);
  const space = workspace(context, { ...sampleFiles(), 'src/new.ts': '' });
  const script = join(dirname(fileURLToPath(import.meta.url)), 'neovim.lua');
  const run = spawnSync('nvim', ['--headless', '--clean', '-n', '-u', script], {
    env: {
      ...process.env, LLMASSIST_HOME: space.home, E2E_SERVER: executable, E2E_ROOT: space.folder, E2E_FILE: join(space.folder, 'src/new.ts'),
      XDG_STATE_HOME: space.home, XDG_CACHE_HOME: space.home, XDG_CONFIG_HOME: space.home,
    },
    encoding: 'utf8',
    timeout: 110_000,
  });
  const said = Object.fromEntries(run.stdout.trim().split('\n').map(line => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]));
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.equal(said.completion, 'true');
  assert.ok(said.labels.split(',').includes('parseInventory'), said.labels);
  assert.equal(said.first, 'parseInventory(content);');
  assert.equal(said.line, '  const inventory = parseInventory(content);');
  assert.equal(said.models, '1 true');
  assert.equal(said.memory, 'true');
  assert.ok('OK' in said);
});
