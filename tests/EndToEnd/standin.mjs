// One stand-in for Ollama, as a process. Knows how to start and stop it; what is right is the tests' business.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const program = join(root, 'artifacts', 'fake-ollama', process.platform === 'win32' ? 'fake-ollama.exe' : 'fake-ollama');

/** Starts the stand-in on a free port and answers its address; it ends with the test. What it learns are files as given. */
export async function startStandIn(test, scenario = {}, learned = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'llm-assist-e2e-'));
  writeFileSync(join(folder, 'scenario.json'), JSON.stringify(scenario));
  const learn = Object.entries(learned).flatMap(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return ['--learn', join(folder, name)];
  });
  const child = spawn(program, ['--port', '0', '--scenario', join(folder, 'scenario.json'), ...learn], { stdio: ['pipe', 'pipe', 'inherit'] });
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
  return host;
}
