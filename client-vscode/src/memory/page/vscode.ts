// Stands in for the `vscode` module inside the page, where the editor's is not: the user's language and texts in it, as
// the document brings them. The bundler puts it in its place.

const translations = JSON.parse(document.body.dataset.translations ?? "{}") as Record<string, string>;

export const env = { language: document.documentElement.lang };

export const l10n = {
  t(message: string, ...values: (string | number | boolean)[]): string {
    return (translations[message] ?? message).replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)]));
  },
};
