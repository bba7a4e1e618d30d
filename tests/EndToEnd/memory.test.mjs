// Several processes of the product share one machine and one Ollama: the published server twice, the command line, and the stand-in as a
// process. Sizes are fiction and small, so that the limit decides and not the machine that runs this.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { executable, startServer, workspace } from './server.mjs';
import { startStandIn } from './standin.mjs';

const gibibyte = 2 ** 30;
const limit = 2; // GiB: room for two models of five
const rounds = 200;
const models = ['a', 'b', 'c', 'd', 'e'].map(letter => `coder-${letter}:1b`);

// A process that has died is noticed by those that wait, ten times a second; the rest is the machine's to lose.
const takenOverWithin = 5000; // ms

const scenario = {
  models: models.map((name, index) => ({
    name,
    family: 'llama',
    sizeBytes: 560e6 + index * 20e6,
    loadedBytes: 760e6 + index * 20e6,
    kvBytesPerToken: 4096,
    metadata: {
      'general.architecture': 'llama',
      'llama.block_count': 4, 'llama.context_length': 8192, 'llama.embedding_length': 512, 'llama.attention.head_count': 8, 'llama.attention.head_count_kv': 4,
    },
    tensors: [{ name: 'token_embd.weight', type: 'Q6_K', shape: [512, 32000] }],
  })),
  maxLoaded: models.length, // what leaves, leaves because of us
  tellsFigures: true,
};

/** A machine: a home that all processes share, with the settings of those that have no editor. */
async function machine(context, more) {
  const endpoint = await startStandIn(context, { ...scenario, ...more });
  const space = workspace(context, { 'main.py': 'pass\n' });
  const settings = { ollama: { endpoint }, memory: { limit, context: 4096 }, training: { auto: false } };
  mkdirSync(space.home, { recursive: true });
  writeFileSync(join(space.home, 'config.json'), JSON.stringify(settings));
  const figures = async () => (await fetch(`${endpoint}/fake/figures`)).json();
  const editor = async () => {
    const server = startServer(context, space, settings);
    await server.initialize();
    await server.connection.sendNotification('initialized', {});
    return server;
  };
  return { space, figures, editor };
}

/** What a load says: that it was done, or why not. */
const load = async (server, name) => {
  try {
    return (await server.command('llmAssist.models.load', { id: `ollama:${name}` })).message;
  } catch (error) {
    return error.message;
  }
};

/** The same by the command line. */
const loadByCli = (space, name) => new Promise((resolve, reject) => {
  const child = spawn(executable, ['models', 'load', `ollama:${name}`], { env: { ...process.env, LLMASSIST_HOME: space.home, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', data => { said += data; });
  child.stderr.on('data', data => { said += data; });
  child.on('error', reject);
  child.on('close', () => resolve(said));
});

const answered = /is loaded|is in Ollama's memory|was not loaded: it needs [\d.]+ [KMG]B.*, and of the limit of 2\.0 GB no more than [\d.]+ [KMG]?B can be had/;

test(`two windows and the command line load at once, ${rounds} times: one at a time and within the limit`, { timeout: 1_200_000 }, async context => {
  const { space, figures, editor } = await machine(context, { loadMilliseconds: 5, unloadMilliseconds: 5 });
  const [first, second] = [await editor(), await editor()];
  let [loaded, refused] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    // Every third round all want the same.
    const wanted = [0, 1, 2].map(who => models[(round * 7 + (round % 3 === 0 ? 0 : who * 2)) % models.length]);
    const answers = await Promise.all([load(first, wanted[0]), load(second, wanted[1]), loadByCli(space, wanted[2])]);
    for (const answer of answers) {
      assert.match(answer, answered);
      (/is loaded|is in Ollama/.test(answer) ? loaded++ : refused++);
    }
  }
  const { mostLoadsInFlight, peakRamBytes, loads } = await figures();
  context.diagnostic(`${loaded} loaded, ${refused} refused; ${loads} loads at the server, peak ${(peakRamBytes / gibibyte).toFixed(2)} GiB`);
  assert.equal(mostLoadsInFlight, 1);
  assert.ok(peakRamBytes <= limit * gibibyte, `${peakRamBytes} bytes at the most`);
  assert.ok(rounds / 2 <= loads, 'models came and went');
  assert.ok(refused <= loaded / 10, 'most were let in');
  for (const server of [first, second]) {
    assert.deepEqual(server.seen.errors, []);
    assert.equal((await server.stop()).code, 0);
  }
});

test('a window that is killed in the midst of a load holds nobody up', { timeout: 120_000 }, async context => {
  const { figures, editor } = await machine(context, { loadMilliseconds: 60_000 });
  const [first, second] = [await editor(), await editor()];
  const begun = async name => (await figures()).memoryLog.some(({ what, model }) => what === 'load' && model === name);
  const until = async condition => {
    while (!await condition()) {
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  };
  load(first, models[0]).catch(() => {});
  await until(() => begun(models[0]));
  load(second, models[1]).catch(() => {});
  first.child.kill('SIGKILL');
  const killed = performance.now();
  await until(() => begun(models[1]));
  const waited = performance.now() - killed;
  context.diagnostic(`${waited.toFixed(0)} ms`);
  assert.ok(waited <= takenOverWithin, `${waited} ms`);
  const { mostLoadsInFlight, memoryLog } = await figures();
  assert.equal(mostLoadsInFlight, 1);
  assert.deepEqual(memoryLog.map(({ what, model }) => `${what} ${model}`), [`load ${models[0]}`, `abort ${models[0]}`, `load ${models[1]}`]);
});
