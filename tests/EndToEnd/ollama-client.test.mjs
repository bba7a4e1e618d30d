// The stand-in for Ollama, as a process, against Ollama's own client: what that client understands, ours may rely on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ollama } from 'ollama';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const program = join(root, 'artifacts', 'fake-ollama', process.platform === 'win32' ? 'fake-ollama.exe' : 'fake-ollama');
const model = 'qwen2.5-coder:1.5b';
const code = 'def pay(account, amount):\n    if amount <= 0:\n        raise ValueError("nothing to pay")\n    account.balance -= amount\n    return account\n';

/** Starts the stand-in on a free port; it ends with the test. */
async function start(test, scenario = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'llm-assist-e2e-'));
  writeFileSync(join(folder, 'scenario.json'), JSON.stringify(scenario));
  writeFileSync(join(folder, 'ledger.py'), code);
  const child = spawn(program, ['--port', '0', '--scenario', join(folder, 'scenario.json'), '--learn', join(folder, 'ledger.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = new Promise((resolve, reject) => {
    child.on('error', error => reject(new Error(`${error.message}; npm test builds it`)));
    child.on('exit', status => resolve(status));
  });
  test.after(async () => {
    child.stdin.end();
    assert.equal(await exit, 0);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([new Promise(resolve => lines.once('line', resolve)), exit.then(status => `ended with ${status}`)]);
  const [host] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? assert.fail(line);
  return new Ollama({ host });
}

/** Asks until a condition holds; each answer is a state, and the test's own deadline is the end of it. */
async function until(ask, condition) {
  for (;;) {
    const state = await ask();
    if (condition(state)) {
      return state;
    }
  }
}

const namesOf = ({ models }) => models.map(entry => entry.name);

test('what there is', { timeout: 60_000 }, async context => {
  const ollama = await start(context, { running: [model], models: [{ name: model }, { name: 'mistral:7b', vramBytes: 5e9, loadedBytes: 5e9, familiesNull: true }] });

  await context.test('version', async () => assert.deepEqual(await ollama.version(), { version: '0.33.0' }));

  await context.test('list', async () => {
    const { models } = await ollama.list();
    assert.deepEqual(models.map(entry => entry.name), [model, 'mistral:7b']);
    assert.match(models[0].digest, /^[0-9a-f]{64}$/);
    assert.ok(0 < models[0].size && !Number.isNaN(Date.parse(models[0].modified_at)));
    assert.deepEqual(models[0].details.families, ['qwen2']);
    assert.equal(models[1].details.families, null);
  });

  await context.test('ps', async () => {
    const { models } = await ollama.ps();
    assert.deepEqual(namesOf({ models }), [model]);
    assert.equal(models[0].context_length, 4096);
    assert.ok(Date.now() < Date.parse(models[0].expires_at));
  });

  await context.test('show', async () => {
    const shown = await ollama.show({ model });
    assert.equal(shown.model_info['qwen2.context_length'], 32768);
    assert.deepEqual(shown.capabilities, ['completion', 'tools', 'insert']);
    assert.match(shown.template, /\.Suffix/);
  });

  await context.test('errors for a model that is not there', async () => {
    await assert.rejects(ollama.generate({ model: 'nope', prompt: 'x' }), { name: 'ResponseError', status_code: 404, message: "model 'nope' not found" });
    await assert.rejects(ollama.generate({ model: 'nope', prompt: 'x', stream: true }), { status_code: 404 });
    await assert.rejects(ollama.chat({ model: 'nope', messages: [{ role: 'user', content: 'x' }] }), { status_code: 404 });
    await assert.rejects(ollama.show({ model: 'nope' }), { status_code: 404, message: "model 'nope:latest' not found" });
  });
});

test('text', { timeout: 60_000 }, async context => {
  const ollama = await start(context);
  const prompt = '<|fim_prefix|>def pay(account, amount):\n    if amount <= 0:\n        raise ValueError<|fim_suffix|>\n<|fim_middle|>';
  const written = '("nothing to pay")\n    account.balance -= amount\n    return account';

  await context.test('generate, whole and as a stream, is the code that was learned', async () => {
    const whole = await ollama.generate({ model, prompt, raw: true });
    assert.equal(whole.response, written);
    assert.deepEqual([whole.done, whole.done_reason, whole.context], [true, 'stop', undefined]);
    assert.ok(0 < whole.total_duration && 0 < whole.prompt_eval_count);
    const pieces = [];
    for await (const piece of await ollama.generate({ model, prompt, raw: true, stream: true })) {
      pieces.push(piece);
    }
    assert.equal(pieces.map(piece => piece.response).join(''), written);
    assert.equal(pieces.length, pieces.at(-1).eval_count + 1);
    assert.deepEqual(pieces.map(piece => piece.done), pieces.map((_, index) => index === pieces.length - 1));
  });

  await context.test('generate heeds a suffix, a limit and a stop', async () => {
    const [before, after] = ['def pay(account, amount):\n    if amount', ':\n        raise ValueError("nothing to pay")\n'];
    assert.equal((await ollama.generate({ model, prompt: before, suffix: after })).response, ' <= 0');
    const cut = await ollama.generate({ model, prompt: code.slice(0, 4), options: { num_predict: 3 } });
    assert.deepEqual([cut.response, cut.done_reason], ['pay(account', 'length']);
    assert.equal((await ollama.generate({ model, prompt, raw: true, options: { stop: ['\n'] } })).response, '("nothing to pay")');
  });

  await context.test('chat', async () => {
    const messages = [{ role: 'SYSTEM', content: 'Be brief.' }, { role: 'user', content: 'def pay(' }];
    const pieces = [];
    for await (const piece of await ollama.chat({ model, messages, stream: true })) {
      pieces.push(piece);
    }
    assert.ok(pieces.every(piece => piece.message.role === 'assistant' && piece.response === undefined));
    const text = pieces.map(piece => piece.message.content).join('');
    assert.ok(text.startsWith('account, amount):\n    if amount <= 0:\n        raise'), text);
    assert.equal((await ollama.chat({ model, messages })).message.content, text);
  });
});

test('models come and go', { timeout: 60_000 }, async context => {
  const ollama = await start(context, { registry: [{ name: 'mistral:7b', sizeBytes: 4000 }] });

  await context.test('pull tells its progress', async () => {
    const completed = [];
    const statuses = [];
    for await (const step of await ollama.pull({ model: 'mistral:7b', stream: true })) {
      statuses.push(step.status);
      if (step.total === 4000) {
        completed.push(step.completed ?? 0);
      }
    }
    assert.deepEqual(completed, [0, 1000, 2000, 3000, 4000]);
    assert.equal(statuses.at(-1), 'success');
    assert.deepEqual(namesOf(await ollama.list()), ['mistral:7b', model]);
    assert.equal((await ollama.pull({ model: 'mistral:7b' })).status, 'success');
  });

  await context.test('pull of what does not exist', async () => {
    await assert.rejects(async () => {
      for await (const step of await ollama.pull({ model: 'nope', stream: true })) {
        assert.equal(step.status, 'pulling manifest');
      }
    }, /pull model manifest: file does not exist/);
    await assert.rejects(ollama.pull({ model: 'nope' }), { status_code: 500 });
  });

  await context.test('keep_alive loads and unloads', async () => {
    assert.equal((await ollama.generate({ model, prompt: '', keep_alive: '10m', options: { num_ctx: 8192 } })).done_reason, 'load');
    const [loaded] = (await ollama.ps()).models;
    assert.deepEqual([loaded.name, loaded.context_length], [model, 8192]);
    assert.equal((await ollama.chat({ model: 'mistral:7b', messages: [], keep_alive: -1 })).done_reason, 'load');
    assert.deepEqual(namesOf(await ollama.ps()), ['mistral:7b', model]);
    assert.equal((await ollama.generate({ model, prompt: '', keep_alive: 0 })).done_reason, 'unload');
    assert.equal((await ollama.chat({ model: 'mistral:7b', keep_alive: 0 })).done_reason, 'unload');
    await until(() => ollama.ps(), ({ models }) => models.length === 0);
    await assert.rejects(ollama.generate({ model, prompt: '', keep_alive: '300' }), /missing unit in duration/);
  });
});

test('an aborted stream ends on the server too', { timeout: 60_000 }, async context => {
  const ollama = await start(context, { faults: [{ kind: 'stall', path: '/api/generate', frame: 3, times: 1 }] });
  const stream = await ollama.generate({ model, prompt: 'def pay(', stream: true });
  let count = 0;
  await assert.rejects(async () => {
    for await (const piece of stream) {
      assert.equal(piece.done, false);
      count++;
      if (count === 3) {
        // Told to leave, the model stays for as long as the stream is being served.
        await ollama.generate({ model, prompt: '', keep_alive: 0 });
        assert.deepEqual(namesOf(await ollama.ps()), [model]);
        stream.abort();
      }
    }
  }, { name: 'AbortError' });
  assert.equal(count, 3);
  await until(() => ollama.ps(), ({ models }) => models.length === 0);
});
