// Every optional property of the public API accepts `undefined`, also under
// exactOptionalPropertyTypes, so that `{ temperature: settings.temperature }` compiles in every
// project.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { root } from './consumer.js';

const dist = join(root, 'dist');
const files = readdirSync(dist)
  .filter((name) => name.endsWith('.d.ts'))
  .map((name) => join(dist, name));

const program = ts.createProgram(files, {
  strict: true,
  exactOptionalPropertyTypes: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  types: [],
});
const checker = program.getTypeChecker();

/** Optional properties with the types of a framework, to which the library passes them. */
const PASSED_TO_FRAMEWORKS = [
  "readonly dtype?: A['dtype'];",
  'readonly shape?: number[];',
  'name?: string;',
];

/** Returns the optional properties that a file declares, and whether each accepts `undefined`. */
function optionalProperties(file: string): { text: string; takesUndefined: boolean }[] {
  const found: { text: string; takesUndefined: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    const isProperty = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);
    if (isProperty && node.questionToken && node.type) {
      const type = checker.getTypeFromTypeNode(node.type);
      const takesUndefined = checker.isTypeAssignableTo(checker.getUndefinedType(), type);
      found.push({ text: node.getText(), takesUndefined });
    }
    ts.forEachChild(node, visit);
  };
  visit(program.getSourceFile(file)!);
  return found;
}

test('every optional property accepts undefined', () => {
  const properties = files.flatMap(optionalProperties);
  expect(properties.length).toBeGreaterThan(100);
  const refusing = properties.filter(({ takesUndefined }) => !takesUndefined);
  expect(refusing.map(({ text }) => text)).toEqual(PASSED_TO_FRAMEWORKS);
});
