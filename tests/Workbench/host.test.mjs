// Runs host/checks.cjs inside the editor's extension host, on the packaged extension.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../../client-vscode/workbench/browser.mjs';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { missing, openWorkbench, skip } from './session.mjs';

test('extension host', { skip, timeout: 120_000 }, async context => {
  assert.equal(missing, undefined);
  const results = join(mkdtempSync(join(tmpdir(), 'llm-assist-e2e-')), 'checks.json');
  context.after(() => rmSync(dirname(results), { recursive: true }));
  const workbench = await openWorkbench(context, {
    files: { ...sampleFiles(), 'src/words.ts': 'export async function loadOrders(path: string) {\n  const inventory = pars\n}\n' },
    // Newer editors take no tests from a page without it.
    more: ['--vscode-option', 'enable-smoke-test-driver'],
    environment: { LLMASSIST_CHECKS: results },
  });
  const remote = path => `vscode-remote://127.0.0.1:${workbench.port}${path}`;
  const extension = readdirSync(workbench.extensions).find(name => name.startsWith('llm-assist.'));
  const payload = [
    ['extensionDevelopmentPath', remote(join(workbench.extensions, extension))],
    ['extensionTestsPath', remote(fileURLToPath(new URL('host/checks.cjs', import.meta.url)))],
  ];
  let end;
  const ended = new Promise(resolve => { end = resolve; });
  const window = await openBrowser(workbench, { query: `&payload=${encodeURIComponent(JSON.stringify(payload))}`, exposed: { codeAutomationExit: end, codeAutomationLog: () => {} } });
  context.after(() => window.close());
  assert.equal(await ended, 0);
  const checked = JSON.parse(readFileSync(results, 'utf8'));
  assert.notEqual(checked.length, 0);
  for (const { name, error } of checked) {
    await context.test(name, () => assert.equal(error, undefined));
  }
});
