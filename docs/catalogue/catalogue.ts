import ts from 'typescript';
import { docstringOf } from './docstring.js';
import { type Parts, partsOf } from './parts.js';
import { exportedNames, fileOf, Sources } from './sources.js';

// The docstring of a strategy is the one place that describes it. Tables, parity and the pages of
// the documentation site are made from this catalogue.

/** An option of a strategy. */
export interface Option {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** As code; `undefined` for an option that is required or has no default. */
  readonly defaultValue: string | undefined;
  readonly description: string;
  /** Whether the option and its default are those of the base class. */
  readonly isShared: boolean;
}

/** A strategy as its docstring and its class describe it. Texts are Markdown. */
export interface Strategy extends Parts {
  /** For example `Response`. */
  readonly name: string;
  /** For example `ResponseDistillationStrategy`. */
  readonly className: string;
  /** The folder of its file. */
  readonly family: string;
  /** The path of its file in the repository. */
  readonly file: string;
  readonly options: readonly Option[];
  readonly labels: 'required' | 'optional' | 'unused' | 'entries';
  readonly isSumOverRows: boolean | 'options' | 'entries';
}

/** The families, in the order of the documents. */
export const FAMILIES: readonly string[] = [
  'response',
  'attention',
  'feature',
  'ranking',
  'relation',
  'hybrid',
];

/**
 * Reads every exported strategy, by family and then by name.
 *
 * @throws {Error} for docstrings that lack a part; names the file and the part
 */
export function readCatalogue(): Strategy[] {
  const sources = new Sources();
  const problems: string[] = [];
  const strategies = exportedNames().map((name) => readStrategy(sources, name, problems));
  if (problems.length > 0) {
    throw new Error(`docstrings that the catalogue cannot read:\n${problems.join('\n')}`);
  }
  const place = ({ family }: Strategy) => FAMILIES.indexOf(family);
  return strategies.sort((a, b) => place(a) - place(b) || (a.name < b.name ? -1 : 1));
}

function readStrategy(sources: Sources, className: string, problems: string[]): Strategy {
  const [declaration] = sources.classesOf(className);
  if (!declaration) throw new Error(`${className} is no class of src/strategies`);
  const file = fileOf(declaration);
  const family = file.split('/')[2] ?? '';
  const report = (part: string) => problems.push(`${file}: ${className} ${part}`);
  if (!FAMILIES.includes(family)) report(`is in no folder of ${FAMILIES}`);
  const parts = partsOf(docstringOf(declaration), report);
  return {
    name: className.replace('DistillationStrategy', ''),
    className,
    family,
    file,
    ...parts,
    options: optionsOf(sources, className),
    labels: labelsOf(sources, className, family, parts),
    isSumOverRows: sumOf(sources, className, family),
  };
}

function labelsOf(
  sources: Sources,
  className: string,
  family: string,
  { throws }: Parts,
): Strategy['labels'] {
  if (family === 'hybrid') return 'entries';
  if (literalOf(sources.returnedBy(className, 'usesLabels')) !== true) return 'unused';
  return throws.includes('LABEL_REQUIRED') ? 'required' : 'optional';
}

function sumOf(sources: Sources, className: string, family: string): Strategy['isSumOverRows'] {
  if (family === 'hybrid') return 'entries';
  return literalOf(sources.returnedBy(className, 'isSumOverRows')) ?? 'options';
}

/** A literal boolean; `undefined` for an expression that depends on the instance. */
function literalOf(expression: ts.Expression | undefined): boolean | undefined {
  if (expression?.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (expression?.kind === ts.SyntaxKind.FalseKeyword) return false;
  return undefined;
}

/**
 * The options of a constructor that the strategy reads, its own first.
 */
function optionsOf(sources: Sources, className: string): Option[] {
  const defaults = defaultsOf(sources, className);
  const readsTemperature = literalOf(sources.returnedBy(className, 'usesTemperatures')) !== false;
  return interfacesOf(sources, className).flatMap((declaration) => {
    if (declaration.name.text === 'StrategyOptions' && !readsTemperature) return [];
    const isShared = /(base|options)\.ts$/.test(fileOf(declaration));
    return declaration.members.filter(ts.isPropertySignature).map((property) => {
      const { paragraphs, tags } = docstringOf(property);
      const name = property.name.getText();
      const [tag] = tags.filter((each) => each.name === 'defaultValue');
      return {
        name,
        type: (property.type?.getText() ?? '').replace(/ \| undefined$/, ''),
        isRequired: !property.questionToken,
        defaultValue: defaults.get(name) ?? tag?.text.replace(/^`|`$/g, ''),
        description: paragraphs.join('\n\n'),
        isShared: isShared && !defaults.has(name),
      };
    });
  });
}

/** The interfaces of the first argument of the nearest constructor. */
function interfacesOf(sources: Sources, className: string): ts.InterfaceDeclaration[] {
  const constructors = sources
    .classesOf(className)
    .flatMap(({ members }) => members.filter(ts.isConstructorDeclaration));
  const parameter = constructors[0]?.parameters.find(({ name }) => name.getText() === 'options');
  const { type } = parameter ?? {};
  if (!type || !ts.isTypeReferenceNode(type)) return [];
  return sources.interfacesOf(type.typeName.getText());
}

/** The defaults that a strategy has for itself: of temperature and alpha. */
function defaultsOf(sources: Sources, className: string): Map<string, string> {
  const returned = sources.returnedBy(className, 'defaults');
  if (!returned || !ts.isObjectLiteralExpression(returned)) return new Map();
  const values = returned.properties.filter(ts.isPropertyAssignment);
  return new Map(values.map(({ name, initializer }) => [name.getText(), initializer.getText()]));
}
