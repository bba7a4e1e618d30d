// Every text that the user reads exists in English and Spanish, and no translation is left over.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import * as ts from "typescript";
import { root } from "./support/vscode";

test("every key of package.json is in both languages, and every translation is used", () => {
  const used = [...new Set([...read("package.json").matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key))].sort();
  for (const file of ["package.nls.json", "package.nls.es.json"]) {
    assert.deepEqual(Object.keys(texts(file)).sort(), used, file);
  }
});

test("every sentence of the source is in the Spanish bundle, and every translation is used", () => {
  assert.deepEqual(Object.keys(texts("l10n/bundle.l10n.es.json")).sort(), [...sentences()].sort());
});

test("a translation keeps the placeholders, code spans and links of its original", () => {
  const pairs: [string, string][] = [
    ...Object.entries(texts("l10n/bundle.l10n.es.json")),
    ...Object.entries(texts("package.nls.json")).map(([key, text]): [string, string] =>
      [text, texts("package.nls.es.json")[key] ?? ""]),
  ];
  for (const [english, spanish] of pairs) {
    assert.notEqual(spanish.trim(), "", english);
    assert.deepEqual(marks(spanish), marks(english), english);
  }
});

test("every command, view, setting, choice and step of the manifest is localized", () => {
  const manifest = JSON.parse(read("package.json")) as {
    contributes: {
      commands: { title: string }[];
      views: Record<string, { name: string }[]>;
      viewsWelcome: { contents: string }[];
      configuration: { title: string; properties: Record<string, unknown> }[];
      walkthroughs: { title: string; description: string; steps: { title: string; description: string; media: { altText: string } }[] }[];
    };
  };
  const shown = [
    ...manifest.contributes.commands.map(({ title }) => title),
    ...Object.values(manifest.contributes.views).flat().map(({ name }) => name),
    ...manifest.contributes.viewsWelcome.map(({ contents }) => contents),
    ...manifest.contributes.configuration.map(({ title }) => title),
    ...manifest.contributes.walkthroughs.flatMap(({ title, description }) => [title, description]),
    ...manifest.contributes.walkthroughs.flatMap(({ steps }) => steps).flatMap(({ title, description, media }) => [title, description, media.altText]),
    ...manifest.contributes.configuration.flatMap(({ properties }) => Object.values(properties).flatMap(descriptions)),
  ];
  for (const text of shown) {
    assert.match(text, /^%[\w.]+%$/);
  }
});

// A setting's description, and one for each of its choices wherever they are listed.
function descriptions(schema: unknown): string[] {
  const { markdownDescription = "missing" } = schema as { markdownDescription?: string };
  return [markdownDescription, ...choiceDescriptions(schema)];
}

function choiceDescriptions(schema: unknown): string[] {
  const part = schema as { enum?: string[]; markdownEnumDescriptions?: string[]; anyOf?: unknown[] };
  if (part.enum !== undefined) {
    assert.equal(part.markdownEnumDescriptions?.length, part.enum.length, part.enum.join());
  }

  return [...part.markdownEnumDescriptions ?? [], ...(part.anyOf ?? []).flatMap(choiceDescriptions)];
}

// The first argument of every call of `l10n.t`, as the compiler sees it.
function sentences(): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))) {
    const source = ts.createSourceFile(name, read(path.join("src", name)), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && /^(vscode\.)?l10n\.t$/.test(node.expression.getText(source))) {
        const [message] = node.arguments;
        assert(message !== undefined && ts.isStringLiteral(message), `${name}: not a literal: ${node.getText(source)}`);
        found.add(message.text);
      }

      ts.forEachChild(node, visit);
    };
    visit(source);
  }

  assert.notEqual(found.size, 0);
  return found;
}

function marks(text: string): string[] {
  return [...text.matchAll(/\{\d+\}|(`+)[^`]*\1|\]\([^)]*\)/g)].map(([mark]) => mark).sort();
}

function texts(file: string): Record<string, string> {
  return JSON.parse(read(file)) as Record<string, string>;
}

function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
