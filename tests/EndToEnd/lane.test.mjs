// Both lanes through the reference client of the protocol: the published server, and the stand-in for Ollama as a process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import { modelLoaded, sampleFiles, startServer, workspace } from './server.mjs';
import { startStandIn } from './standin.mjs';

const model = 'qwen2.5-coder:1.5b';
const id = `ollama:${model}`;

// The user's habit ends differently from what the model says, so that one sees who answers.
const before = `export const total = `;
const reply = `computeTotal(prices, discounts);`;

test('a session with a model of Ollama', { timeout: 120_000 }, async context => {
  const endpoint = await startStandIn(context, {
    models: [{ name: model, reply: `${reply}\n` }, { name: 'nomic-embed-text', family: 'nomic-bert', capabilities: ['embedding'] }],
    registry: [{ name: 'starcoder2:3b', family: 'starcoder2' }],
    frameMilliseconds: 1,
  });
  const space = workspace(context, sampleFiles());
  const server = startServer(context, space, { ollama: { endpoint } });
  const { connection, seen } = server;
  const uri = space.uri('src/new.ts');
  let version = 1;

  await server.initialize();
  await connection.sendNotification('initialized', {});
  await server.until('a model in use', modelLoaded);
  server.open(uri, `// new\n${before}\n`);

  // An argument that is undefined would be one more parameter to the client.
  const inline = (triggerKind = 1, ...token) => connection.sendRequest('textDocument/inlineCompletion',
    { textDocument: { uri }, position: { line: 1, character: before.length }, context: { triggerKind } }, ...token);
  // Another text above the place, so that nothing that was said before fits.
  const edit = remark => connection.sendNotification('textDocument/didChange', { textDocument: { uri, version: ++version }, contentChanges: [{ text: `// ${remark}\n${before}\n` }] });
  const explained = () => server.command('llmAssist.completion.explain');

  await context.test('lists both kinds, and loads nothing by looking', async () => {
    const models = await server.command('llmAssist.models.list');
    assert.deepEqual(models.map(({ source }) => source), ['pattern', 'ollama', 'ollama']);
    assert.deepEqual(models.slice(1).map(({ name, loaded, fillsMiddle }) => [name, loaded, fillsMiddle]), [[model, false, true], ['nomic-embed-text:latest', false, false]]);
  });

  await context.test('asks no model that the user has not named', async () => {
    await inline();
    const { ollama } = await explained();
    assert.equal(ollama.outcome, 'unavailable');
    assert.match(ollama.why, /Choose one/);
  });

  await context.test('downloads with progress', async () => {
    const { message } = await server.command('llmAssist.ollama.pull', { name: 'starcoder2:3b' });
    assert.match(message, /starcoder2:3b is there/);
    assert.ok(seen.progress.some(({ value }) => value.kind === 'report' && /GB \/|MB \//.test(value.message)));
    const models = await server.command('llmAssist.models.list');
    assert.ok(models.some(({ name }) => name === 'starcoder2:3b'));
  });

  await context.test('loads with progress, and says what that costs', async () => {
    const begun = seen.progress.length;
    const answer = await server.command('llmAssist.models.load', { id });
    assert.match(answer.message, /is loaded: 1\.3 GB of RAM, \d+ tokens of context/);
    const kinds = seen.progress.slice(begun).map(({ value }) => value.kind);
    assert.deepEqual([kinds[0], kinds.at(-1)], ['begin', 'end']);
    const status = await server.until('the model in the status', () => seen.status.findLast(({ memory }) => memory.models.some(entry => entry.id === id)));
    const entry = status.memory.models.find(entry => entry.id === id);
    assert.equal(entry.bytes, 1_400_000_000);
    assert.ok(1000 <= entry.contextTokens);
  });

  await context.test('shows what the model says', async () => {
    edit('one');
    const { items } = await inline();
    assert.equal(items[0].insertText, reply);
    assert.equal(items[0].command.arguments[0].lane, 'ollama');
    const { lane, ollama } = await explained();
    assert.deepEqual([lane, ollama.outcome, ollama.model], ['ollama', 'answered', model]);
  });

  await context.test('answers each of a hundred superseded requests once', async () => {
    const answers = [];
    for (let row = 0; row < 100; row++) {
      edit(`burst ${row}`);
      answers.push(inline(2));
    }

    const results = await Promise.all(answers);
    assert.equal(results.length, 100);
    assert.deepEqual(seen.errors, []);
  });

  await context.test('answers a canceled request with nothing rather than an error', async () => {
    edit('canceled');
    const source = new CancellationTokenSource();
    const asking = inline(2, source.token);
    source.cancel();
    assert.equal(await asking, null);
  });

  await context.test('unloads, and does not load again by typing', async () => {
    const { unloaded } = await server.command('llmAssist.models.unload', { id });
    assert.deepEqual(unloaded, [id]);
    edit('unloaded');
    await inline();
    const { ollama } = await explained();
    assert.equal(ollama.outcome, 'unavailable');
    assert.match(ollama.why, /was unloaded/);
  });

  await context.test('never deletes', async () => {
    await assert.rejects(server.command('llmAssist.models.delete', { id }), /ollama rm/);
  });

  await context.test('shows no message for any of it', () => assert.deepEqual([seen.messages, seen.logs.filter(line => !/ is in use: |^Completions are asked of | was (un)?loaded\. It was asked for/.test(line))], [[], []]));
  assert.equal((await server.stop()).code, 0);
});
