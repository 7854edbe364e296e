import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** Where strategies, their bases and their options are declared. */
const FOLDERS = ['src/call', 'src/layers', 'src/strategies'];

/** The classes and interfaces of the strategies, by name. */
export class Sources {
  readonly #classes = new Map<string, ts.ClassDeclaration>();
  readonly #interfaces = new Map<string, ts.InterfaceDeclaration>();

  constructor() {
    for (const folder of FOLDERS) {
      for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        if (file.endsWith('.ts')) this.#add(parse(join(root, folder, file)));
      }
    }
  }

  #add(source: ts.SourceFile): void {
    for (const statement of source.statements) {
      if (ts.isClassDeclaration(statement)) this.#classes.set(statement.name!.text, statement);
      if (ts.isInterfaceDeclaration(statement))
        this.#interfaces.set(statement.name.text, statement);
    }
  }

  /** A class and the classes that it extends, nearest first. */
  classesOf(name: string): ts.ClassDeclaration[] {
    const found = this.#classes.get(name);
    return found ? [found, ...parentsOf(found).flatMap((parent) => this.classesOf(parent))] : [];
  }

  /** An interface and the interfaces that it extends, nearest first. */
  interfacesOf(name: string): ts.InterfaceDeclaration[] {
    const found = this.#interfaces.get(name);
    return found ? [found, ...parentsOf(found).flatMap((parent) => this.interfacesOf(parent))] : [];
  }

  /** The expression that a getter of a class returns, if that is all it does. */
  returnedBy(className: string, getter: string): ts.Expression | undefined {
    const getters = this.classesOf(className).flatMap(({ members }) =>
      members.filter((member) => ts.isGetAccessor(member)),
    );
    const nearest = getters.find(({ name }) => name.getText() === getter);
    const [statement] = nearest?.body?.statements ?? [];
    return statement && ts.isReturnStatement(statement) ? statement.expression : undefined;
  }
}

/** The strategies that users can make, by the exports of the library. */
export function exportedNames(): string[] {
  return parse(join(root, 'src/index.ts')).statements.flatMap((statement) => {
    const { exportClause } = statement as ts.ExportDeclaration;
    if (!exportClause || !ts.isNamedExports(exportClause)) return [];
    const names = exportClause.elements.map(({ name }) => name.text);
    return names.filter((name) => name.endsWith('DistillationStrategy') && !/^I[A-Z]/.test(name));
  });
}

/** The path of a declaration's file in the repository. */
export function fileOf(declaration: ts.Node): string {
  return relative(root, declaration.getSourceFile().fileName).replaceAll('\\', '/');
}

function parentsOf(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration): string[] {
  return Array.from(declaration.heritageClauses ?? [])
    .filter(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)
    .flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
}
