import { parseArgs } from 'node:util';

/** What the user can put right: shown by its message alone, without where in the code it arose. */
export class UserError extends Error {}

/** An option of the command line. */
export interface Option {
  readonly type: 'boolean' | 'string';
  readonly default?: boolean | string;
  /** What it does, for `--help`. */
  readonly about: string;
}

/** The value of each option; undefined for one that is not given and has no default. */
export type Values<T extends Readonly<Record<string, Option>>> = {
  [Name in keyof T]:
    | (T[Name]['type'] extends 'boolean' ? boolean : string)
    | (T[Name] extends { readonly default: boolean | string } ? never : undefined);
};

/**
 * The options that were given; `--help` prints all of them and ends the process.
 * @throws {UserError} for what is no option
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

/** A line for each option. */
export function describeOptions(options: Readonly<Record<string, Option>>): string {
  const names = Object.entries(options).map(([name, { type }]) =>
    type === 'string' ? `--${name} …` : `--${name}`,
  );
  const width = Math.max(...names.map(({ length }) => length));
  const lines = Object.values(options).map(({ about, type, default: value }, i) => {
    const unless = type === 'string' && value !== undefined ? ` (${value})` : '';
    return `  ${names[i]!.padEnd(width)}  ${about}${unless}`;
  });
  return ['Options, and what holds without them:', ...lines].join('\n');
}

/** Runs a command. An error that the user can put right ends it with code 1 and a message. */
export async function run(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
