// One workbench in a browser for the steps of a test. What is right is the tests' business.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserProgram, openBrowser } from '../../client-vscode/workbench/browser.mjs';
import { installed } from '../../client-vscode/workbench/install.mjs';
import { startWorkbench } from '../../client-vscode/workbench/workbench.mjs';
import { packagedClient } from '../../scripts/package.mjs';

/** Why there is no workbench to be shown, if there is none. */
export const missing = installed() === undefined ? 'the workbench is not installed (node client-vscode/workbench/install.mjs installs it)'
  : browserProgram() === undefined ? 'there is no Chromium on the PATH (CHROMIUM may name one)' : undefined;
export const skip = process.env.LLMASSIST_REQUIRE_ALL === '1' ? undefined : missing;

/** Why what an output channel has logged cannot be read, if it cannot. */
export const withoutLogs = installed()?.logs === false ? 'the log files of the workbench need a compiler (g++, make and python3)' : undefined;

/** Starts a workbench with the extension installed, which ends with the test; the options are those of startWorkbench. */
export async function openWorkbench(test, { environment, ...options }) {
  const { vsix, env } = await packagedClient();
  const workbench = await startWorkbench({ programs: installed(), vsix: [vsix], environment: { ...env, ...environment }, ...options });
  test.after(() => workbench.stop());
  return workbench;
}

/**
 * A test of several steps in one session, each counted as a test, with a picture of how it left the screen. Once one has failed, the others are
 * not tried: they would meet a screen that they do not expect.
 * @param {string} name
 * @param {object | ((context) => Promise<object>)} options those of openWorkbench
 * @param {(session) => Promise<void>} body gets { step, window, workbench }; a step has a title, work, and a reason to be skipped if there is one
 */
export function session(name, options, body) {
  test(name, { skip, timeout: 300_000 }, async context => {
    assert.equal(missing, undefined);
    const workbench = await openWorkbench(context, typeof options === 'function' ? await options(context) : options);
    const window = await openBrowser(workbench, { language: workbench.language });
    context.after(() => window.close());
    let [count, failed] = [0, false];
    const step = (title, work, unless) => context.test(title, { skip: failed ? 'an earlier step has failed' : unless }, async () => {
      const picture = `${name.replace(/\W+/g, '-')}-${String(++count).padStart(2, '0')}-${title.replace(/\W+/g, '-')}`;
      try {
        await work();
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        await window.screenshot(picture);
      }
    });
    await body({ step, window, workbench });
    await step('nothing was asked for outside of this machine', () => assert.deepEqual(window.outsideRequests, []));
  });
}

/** A model for the stand-in of Ollama. Its sizes are fiction and small, so that the limit decides and not the machine that runs the tests. */
export const smallModel = (name, reply) => ({
  name, reply, family: 'llama', sizeBytes: 560e6, loadedBytes: 760e6, kvBytesPerToken: 4096,
  metadata: {
    'general.architecture': 'llama',
    'llama.block_count': 4, 'llama.context_length': 8192, 'llama.embedding_length': 512, 'llama.attention.head_count': 8, 'llama.attention.head_count_kv': 4,
  },
  tensors: [{ name: 'token_embd.weight', type: 'Q6_K', shape: [512, 32000] }],
});
