// The server against the reference client of the protocol, as a process over pipes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import { executable, modelLoaded, sampleFiles, startServer, workspace } from './server.mjs';

const draft = [
  `import { readFile } from 'node:fs/promises';`,
  ``,
  `export async function loadInventory99(path: string): Promise<Inventory> {`,
  `  const content = await `,
  `}`,
  ``,
].join('\n');
const cursor = { line: 3, character: 24 };

test('a session from initialize to exit', { timeout: 120_000 }, async context => {
  const space = workspace(context, sampleFiles());
  const server = startServer(context, space);
  const { connection } = server;
  const uri = space.uri('src/new.ts');

  await context.test('initialize offers what it can do', async () => {
    const { capabilities, serverInfo } = await server.initialize();
    assert.equal(serverInfo.name, 'llm-assist');
    assert.ok(capabilities.completionProvider);
    assert.ok(capabilities.inlineCompletionProvider);
    assert.ok(capabilities.executeCommandProvider.commands.includes('llmAssist.models.train'));
    await connection.sendNotification('initialized', {});
  });

  await context.test('trains in the background, with progress, and says when it is ready', async () => {
    await server.until('a model in use', modelLoaded);
    const kinds = server.seen.progress.map(progress => progress.value.kind);
    assert.equal(kinds[0], 'begin');
    assert.equal(kinds.at(-1), 'end');
    assert.ok(server.seen.created.includes(server.seen.progress[0].token));
    assert.equal(readdirSync(join(space.home, 'models')).filter(name => name.endsWith('.pattern')).length, 1);
  });

  await context.test('completes the line as ghost text', async () => {
    server.open(uri, draft);
    const result = await connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri }, position: cursor, context: { triggerKind: 2 } });
    const item = (result.items ?? result)[0];
    assert.equal(item.insertText, `readFile(path, 'utf8');`);
    assert.equal(item.range.start.line, 3);
    assert.equal(item.range.end.character, cursor.character);
    assert.equal(item.command.command, 'llmAssist.completion.accepted');
  });

  await context.test('typing into it asks nobody', async () => {
    await connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: 2 }, contentChanges: [{ range: { start: cursor, end: cursor }, text: 'readF' }],
    });
    const position = { ...cursor, character: cursor.character + 5 };
    const result = await connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri }, position, context: { triggerKind: 2 } });
    assert.equal((result.items ?? result)[0].insertText, `readFile(path, 'utf8');`);
    assert.equal((await server.command('llmAssist.completion.explain')).lane, 'cache');
  });

  await context.test('an accepted suggestion is counted', async () => {
    assert.equal(await server.command('llmAssist.completion.accepted', { surface: 'inline', lane: 'pattern', length: 23 }), null);
    assert.deepEqual((await server.command('llmAssist.completion.explain')).accepted, { suggestions: 1, characters: 23 });
  });

  await context.test('tells a client that traces of every completion', async () => {
    await connection.sendNotification('$/setTrace', { value: 'verbose' });
    await connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri }, position: cursor, context: { triggerKind: 2 } });
    assert.match(await server.until('a trace', seen => seen.traces.at(-1)), /inline .*new\.ts/);
    await connection.sendNotification('$/setTrace', { value: 'off' });
  });

  await context.test('offers words for what is typed', async () => {
    const position = { ...cursor, character: cursor.character + 5 };
    const result = await connection.sendRequest('textDocument/completion', { textDocument: { uri }, position, context: { triggerKind: 1 } });
    assert.ok(result.items.map(item => item.label).includes('readFile'), JSON.stringify(result.items.slice(0, 5)));
  });

  await context.test('a hundred superseded requests are answered once each', async () => {
    const answers = [];
    for (let i = 0; i < 100; i++) {
      const source = new CancellationTokenSource();
      answers.push(connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri }, position: cursor, context: { triggerKind: 2 } }, source.token));
      if (i < 99) {
        source.cancel();
      }
    }
    const results = await Promise.all(answers);
    assert.equal(results.length, 100);
    assert.deepEqual(server.seen.errors, []);
  });

  await context.test('commands: list, load, unload, memory', async () => {
    const [model] = await server.command('llmAssist.models.list');
    assert.equal(model.loaded, true);
    assert.deepEqual(model.folders, [space.folder]);
    const { unloaded } = await server.command('llmAssist.models.unload', { id: model.id });
    assert.deepEqual(unloaded, [model.id]);
    if (process.platform === 'linux') {
      assert.ok(!readFileSync(`/proc/${server.child.pid}/maps`, 'utf8').includes(`${model.id.replace('pattern:', '')}.pattern`), 'an unloaded model is still mapped');
    }
    assert.equal((await server.command('llmAssist.memory.status')).models.length, 0);
    const { modelStats } = await server.command('llmAssist.models.load', { id: model.id });
    assert.ok(0 < modelStats.patternsStored);
    const memory = await server.command('llmAssist.memory.status');
    assert.equal(memory.models[0].mappedBytes, model.sizeBytes);
    assert.ok(0 < memory.systemTotalBytes && 0 < memory.processBytes);
  });

  await context.test('a training can be canceled; the model stays', async () => {
    const before = await server.command('llmAssist.models.list');
    const begun = server.seen.created.length;
    const training = server.command('llmAssist.models.train').then(result => ({ result }), error => ({ error }));
    const token = await server.until('progress of the training', seen => seen.created[begun]);
    await connection.sendNotification('window/workDoneProgress/cancel', { token });
    const { result, error } = await training;
    const after = await server.command('llmAssist.models.list');
    if (error) {
      assert.equal(error.code, -32800);
      assert.deepEqual(after.map(model => model.id), before.map(model => model.id));
    } else {
      assert.ok(result.modelStats.patternsStored); // it was quicker than the cancellation
    }
    assert.ok(after.some(model => model.loaded));
  });

  await context.test('errors speak the client\'s language and say what to do', async () => {
    await assert.rejects(server.command('llmAssist.models.load', { id: 'nonsense' }), /no model 'nonsense'/);
  });

  await context.test('shutdown and exit end it with 0 and nothing on stderr', async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.equal(server.seen.stderr, '');
  });

  await context.test('the next start opens the saved model instead of training', async () => {
    const second = startServer(context, space);
    await second.initialize({ locale: 'es' });
    await second.connection.sendNotification('initialized', {});
    await second.until('the model in use', modelLoaded);
    assert.deepEqual(second.seen.progress, []);
    await assert.rejects(second.command('llmAssist.models.load', { id: 'nonsense' }), /No existe el modelo/);
    await second.stop();
  });
});

test('trains unasked as soon as the settings allow it, as when a folder becomes trusted', { timeout: 120_000 }, async context => {
  const settings = { training: { auto: false } };
  const server = startServer(context, workspace(context, sampleFiles()), settings);
  await server.initialize();
  await server.connection.sendNotification('initialized', {});
  await server.until('no model of the workspace', seen => seen.status.some(({ state }) => state === 'ready'));
  assert.deepEqual(server.seen.progress, []);

  settings.training.auto = true;
  await server.connection.sendNotification('workspace/didChangeConfiguration', { settings: { llmAssist: settings } });
  await server.until('a model in use', modelLoaded);
  await server.stop();
});

test('ends when its input ends', { timeout: 60_000 }, async context => {
  const space = workspace(context, { 'a.py': 'x = 1\n' });
  const server = startServer(context, space, { training: { auto: false } });
  await server.initialize();
  server.child.stdin.end();
  assert.equal((await server.exit).signal, null);
});

test('ends when the client\'s process dies', { timeout: 60_000 }, async context => {
  const space = workspace(context, { 'a.py': 'x = 1\n' });
  const client = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const server = startServer(context, space, { training: { auto: false } });
  await server.initialize({ processId: client.pid });
  await server.connection.sendNotification('initialized', {});
  client.kill('SIGKILL');
  assert.equal((await server.exit).signal, null);
});

test('two servers share one mapped model and do not disturb each other', { timeout: 120_000, skip: process.platform !== 'linux' && 'reads /proc' }, async context => {
  const space = workspace(context, sampleFiles());
  const first = startServer(context, space);
  await first.initialize();
  await first.connection.sendNotification('initialized', {});
  await first.until('a model in use', modelLoaded);
  const second = startServer(context, space);
  await second.initialize();
  await second.connection.sendNotification('initialized', {});
  await second.until('the same model in use', modelLoaded);
  assert.deepEqual(second.seen.progress, []);

  for (const server of [first, second]) {
    server.open(space.uri('src/new.ts'), draft);
    const result = await server.connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri: space.uri('src/new.ts') }, position: cursor, context: { triggerKind: 2 } });
    assert.equal((result.items ?? result)[0].insertText, `readFile(path, 'utf8');`);
  }
  for (const server of [first, second]) {
    const pages = mappingOf(server.child.pid, '.pattern');
    assert.ok(0 < pages.rss, 'the model is mapped and used');
    assert.equal(pages.privateDirty, 0);
    assert.ok(pages.pss <= (pages.rss / 2) + 4, `each counts half of the shared pages: ${JSON.stringify(pages)}`);
  }

  // One deletes the file; the other goes on with what it has mapped.
  const [model] = await first.command('llmAssist.models.list');
  await first.command('llmAssist.models.delete', { id: model.id });
  const result = await second.connection.sendRequest('textDocument/completion', { textDocument: { uri: space.uri('src/new.ts') }, position: cursor, context: { triggerKind: 1 } });
  assert.ok(0 < result.items.length);
  await first.stop();
  await second.stop();
});

/** Kilobytes of a process's mappings of files whose name has a given part. */
function mappingOf(pid, part) {
  const sums = { rss: 0, pss: 0, privateDirty: 0 };
  let inside = false;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) {
      inside = line.includes(part);
    }
    const figure = inside && /^(Rss|Pss|Private_Dirty): +(\d+) kB/.exec(line);
    if (figure) {
      sums[{ Rss: 'rss', Pss: 'pss', Private_Dirty: 'privateDirty' }[figure[1]]] += Number(figure[2]);
    }
  }
  return sums;
}

test('the executable exists', () => {
  assert.ok(readFileSync(executable).length, 'npm run build makes it');
});
