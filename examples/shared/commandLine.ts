import { parseArgs } from 'node:util';

/** An error that the user can correct. Only its message is printed, without a stack trace. */
export class UserError extends Error {}

/** An option of the command line. */
export interface Option {
  readonly type: 'boolean' | 'string';
  readonly default?: boolean | string;
  /** Description of the option for `--help`. */
  readonly about: string;
}

/** The value of each option; undefined for an option that is not given and has no default. */
export type Values<T extends Readonly<Record<string, Option>>> = {
  [Name in keyof T]:
    | (T[Name]['type'] extends 'boolean' ? boolean : string)
    | (T[Name] extends { readonly default: boolean | string } ? never : undefined);
};

/**
 * Parses the options of the command line; `--help` prints a description of them and ends the
 * process.
 * @throws {UserError} for an unknown option
 */
export function parseOptions<T extends Readonly<Record<string, Option>>>(
  options: T,
  args: readonly string[] = process.argv.slice(2),
): Values<T> {
  if (args.includes('--help')) {
    console.log(describeOptions(options));
    process.exit(0);
  }
  try {
    const { values }: { values: object } = parseArgs({ args: [...args], options });
    return values as Values<T>;
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(`${message}; --help lists the options`, { cause: error });
  }
}

/** Describes the options, one per line. */
export function describeOptions(options: Readonly<Record<string, Option>>): string {
  const names = Object.entries(options).map(([name, { type }]) =>
    type === 'string' ? `--${name} …` : `--${name}`,
  );
  const width = Math.max(...names.map(({ length }) => length));
  const lines = Object.values(options).map(({ about, type, default: value }, i) => {
    const fallback = type === 'string' && value !== undefined ? ` (${value})` : '';
    return `  ${names[i]!.padEnd(width)}  ${about}${fallback}`;
  });
  return ['Options, with defaults in parentheses:', ...lines].join('\n');
}

/** Runs a command. A `UserError` ends the process with code 1 and its message. */
export async function run(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
