// The extension in Spanish. The editor's own texts stay English here: they come from a language pack.
import assert from 'node:assert/strict';
import { sampleFiles } from '../EndToEnd/server.mjs';
import { session } from './session.mjs';

session('spanish', { files: sampleFiles(), language: 'es' }, async ({ step, window }) => {
  await step('the status bar', async () => {
    await window.status(/^LLM Assist: listo\. Memoria del sistema: .* 1 modelo cargado$/);
    assert.match(await window.hoverStatus(/Modelos/), /Entrenar con el área de trabajo/);
  });

  await step('the palette and a list', async () => {
    await window.palette('LLM Assist: Elegir modelos…');
    const labels = (await window.quickPick()).map(({ label }) => label);
    assert.ok(labels.some(label => /^Ninguno/.test(label)), labels.join('\n'));
    await window.press('Escape');
  });

  await step('a page', async () => {
    await window.palette('LLM Assist: Mostrar el historial de la memoria');
    await window.webview(/Historial de la memoria[\s\S]*Límite de los modelos/);
  });
});
