// A server that does not come up or does not stay: the user is told once, with what to do about it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { executable } from '../EndToEnd/server.mjs';
import { which } from '../../scripts/lib.mjs';
import { session } from './session.mjs';

/** An environment in which no program finds a .NET; the places where an installation is registered are the machine's own. */
const withoutDotnet = context => {
  const empty = mkdtempSync(path.join(tmpdir(), 'none-'));
  context.after(() => rmSync(empty, { recursive: true }));
  const dotnet = which('dotnet');
  const folders = process.env.PATH.split(path.delimiter).filter(folder => dotnet === undefined || folder !== path.dirname(dotnet));
  return { environment: { DOTNET_ROOT: empty, DOTNET_ROOT_X64: empty, PATH: ['/bin', ...folders].join(path.delimiter) } };
};

session('no-runtime', async context => withoutDotnet(context), async ({ step, window }) => {
  await step('a missing runtime is told once, with where to get it', async () => {
    await window.notification(/The LLM Assist server needs the \.NET 10 runtime, which was not found/);
    assert.equal((await window.notifications()).length, 1);
    await window.until('the button', () => window.texts('.notification-toast .monaco-button'), buttons => buttons.includes('Get .NET 10'));
    await window.status(/needs the \.NET 10 runtime/);
  });
});

session('crashes', {}, async ({ step, window, workbench }) => {
  await step('a server that keeps crashing is given up, and told once', async () => {
    // The pauses between them grow: 0.5, 2, 8 and 30 seconds.
    for (let crashes = 1; crashes <= 5; crashes++) {
      // The last pause is as long as a wait may be.
      await window.status(/^LLM Assist: ready/).catch(() => window.status(/^LLM Assist: ready/));
      // Asked for its version, it is a process for a moment, too; once it is ready there is one.
      const [id] = await workbench.processes();
      process.kill(id, 'SIGKILL');
      await window.status(crashes < 5 ? /ended unexpectedly/ : /keeps crashing/);
    }
    await window.notification(/keeps crashing and will not be started again by itself/);
    assert.equal((await window.notifications()).length, 1);
  });

  await step('and starts again when the user says so', async () => {
    await window.clickButton('Restart Server');
    await window.status(/^LLM Assist: ready/);
  });
});

/** The real server, which calls itself one of another time. */
const another = context => {
  const folder = mkdtempSync(path.join(tmpdir(), 'another-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'llm-assist');
  writeFileSync(file, `#!${process.execPath}
const server = require('node:child_process').spawn(${JSON.stringify(executable)}, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'inherit'] });
process.stdin.pipe(server.stdin);
server.stdout.on('data', data => process.stdout.write(data.toString('latin1').replace(/"version":"0\\.\\d\\.\\d/, '"version":"9.9.9'), 'latin1'));
server.on('exit', code => process.exit(code ?? 1));
process.on('SIGTERM', () => server.kill());
`, { mode: 0o755 });
  return { machineSettings: { 'llmAssist.server.path': file } };
};

session('another-version', async context => another(context), async ({ step, window }) => {
  await step('a server of another version is used, and said once to be one', async () => {
    await window.notification(/has the version 9\.9\.9.*, and this extension was made for 0\.\d\.\d/);
    await window.status(/^LLM Assist: ready/);
    await window.clearNotifications();
    await window.palette('LLM Assist: Restart Server');
    await window.until('a second start', () => window.statusHistory(), labels => labels.filter(label => /^LLM Assist: ready/.test(label)).length === 2);
    assert.deepEqual(await window.notifications(), []);
  });
});
