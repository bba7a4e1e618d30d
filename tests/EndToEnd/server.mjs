// One real server process behind the reference implementation of the protocol (vscode-languageserver-protocol).
// Knows how to start, talk and stop; what is right is the tests' business.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createProtocolConnection, StreamMessageReader, StreamMessageWriter,
  ConfigurationRequest, RegistrationRequest, UnregistrationRequest, WorkDoneProgressCreateRequest,
  ShowMessageNotification, LogMessageNotification,
} from 'vscode-languageserver-protocol/node';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const executable = join(root, 'artifacts', 'llm-assist', process.platform === 'win32' ? 'llm-assist.exe' : 'llm-assist');
export const deadline = 60_000; // ms; how long a state may take before a test calls it missing

/** A fresh folder with a workspace (files as given) and a home for models, gone after the test. */
export function workspace(test, files) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'llm-assist-e2e-')));
  const ws = join(folder, 'ws');
  test.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(ws, name)), { recursive: true });
    writeFileSync(join(ws, name), text);
  }
  return {
    folder: ws,
    home: join(folder, 'home'),
    uri: name => pathToFileURL(join(ws, name)).href,
  };
}

/** Source code with habits: enough of it for a model to be sure of something. */
export function sampleFiles() {
  const files = {};
  for (let i = 0; i < 12; i++) {
    files[`src/reader${i}.ts`] = [
      `import { readFile } from 'node:fs/promises';`,
      ``,
      `export async function loadInventory${i}(path: string): Promise<Inventory> {`,
      `  const content = await readFile(path, 'utf8');`,
      `  const inventory = parseInventory(content);`,
      `  if (inventory === undefined) {`,
      `    throw new InventoryError(path);`,
      `  }`,
      `  return inventory;`,
      `}`,
      ``,
    ].join('\n');
  }
  return files;
}

/** Starts a server and speaks to it as an editor would. It ends with the test, also with one that fails. */
export function startServer(test, space, settings = {}, args = ['serve', '--stdio']) {
  // Tests bring their own Ollama or none: not one that happens to run here.
  const env = { ...process.env, LLMASSIST_HOME: space.home, OLLAMA_HOST: '127.0.0.1:9' };
  const child = spawn(executable, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  test.after(() => child.kill('SIGKILL'));
  const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const seen = { status: [], progress: [], messages: [], logs: [], traces: [], created: [], errors: [], stderr: '' };
  const waiting = new Set();
  const changed = () => waiting.forEach(check => check());
  const exit = new Promise(resolve => child.on('exit', (code, signal) => { seen.exited = true; changed(); resolve({ code, signal }); }));
  child.stderr.on('data', data => { seen.stderr += data; });
  connection.onError(([error]) => seen.errors.push(String(error)));
  connection.onRequest(ConfigurationRequest.type, ({ items }) => items.map(item => (item.section === 'llmAssist' ? settings : null)));
  connection.onRequest(RegistrationRequest.type, () => {});
  connection.onRequest(UnregistrationRequest.type, () => {});
  connection.onRequest(WorkDoneProgressCreateRequest.type, ({ token }) => { seen.created.push(token); changed(); });
  connection.onNotification('$/progress', progress => { seen.progress.push(progress); changed(); });
  connection.onNotification('llmAssist/status', status => { seen.status.push(status); changed(); });
  connection.onNotification(ShowMessageNotification.type, message => { seen.messages.push(message); changed(); });
  connection.onNotification(LogMessageNotification.type, message => { seen.logs.push(message.message); changed(); });
  connection.onNotification('$/logTrace', trace => { seen.traces.push(trace.message); changed(); });
  connection.listen();
  return {
    child, connection, seen, exit,
    /** Waits for a state of what the server has sent; never for a time. */
    until(what, condition) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`never came: ${what}; last status ${JSON.stringify(seen.status.at(-1))}; log ${seen.logs.slice(-5).join(' | ')}; stderr ${seen.stderr}`));
        }, deadline);
        const check = () => {
          const value = condition(seen);
          if (value) {
            clearTimeout(timer);
            waiting.delete(check);
            resolve(value);
          }
        };
        waiting.add(check);
        check();
      });
    },
    initialize(more = {}) {
      return connection.sendRequest('initialize', {
        processId: process.pid,
        clientInfo: { name: 'end-to-end' },
        locale: 'en',
        rootUri: pathToFileURL(space.folder).href,
        workspaceFolders: [{ uri: pathToFileURL(space.folder).href, name: 'ws' }],
        capabilities: {
          general: { positionEncodings: ['utf-16'] },
          window: { workDoneProgress: true },
          workspace: { configuration: true, workspaceFolders: true, didChangeConfiguration: { dynamicRegistration: true } },
          textDocument: { completion: {}, inlineCompletion: {} },
        },
        initializationOptions: settings,
        ...more,
      });
    },
    command: (command, argument) => connection.sendRequest('workspace/executeCommand', { command, arguments: argument === undefined ? [] : [argument] }),
    open: (uri, text, languageId = 'typescript') =>
      connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } }),
    async stop() {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      return exit;
    },
  };
}

/** Whether a model is loaded, by the last status. */
export const modelLoaded = seen => seen.status.at(-1)?.state === 'ready' && 0 < seen.status.at(-1).memory.models.length;
