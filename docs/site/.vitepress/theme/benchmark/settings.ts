// The batches that a visitor chooses. They stand in the hash of the address.

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface Settings {
  readonly sizes: readonly Size[];
  readonly hasLabels: boolean;
}

export const DEFAULTS: Settings = {
  sizes: [
    { rows: 256, columns: 1000 },
    { rows: 64, columns: 32_000 },
  ],
  hasLabels: false,
};

/** A matrix of more elements, 16 MB, could be too large for a phone. */
export const MOST_ELEMENTS: number = 2 ** 22;

export function isPossible({ rows, columns }: Size): boolean {
  const isWhole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns);
  return isWhole && rows >= 1 && columns >= 2 && rows * columns <= MOST_ELEMENTS;
}

export function nameOf({ rows, columns }: Size): string {
  return `${rows.toLocaleString('en')} × ${columns.toLocaleString('en')}`;
}

/** Writes settings as a hash, such as `#256x1000,64x32000,labels`; the defaults as no hash. */
export function toHash(settings: Settings): string {
  const hash = write(settings);
  return hash === write(DEFAULTS) ? '' : hash;
}

function write({ sizes, hasLabels }: Settings): string {
  const parts = sizes.map(({ rows, columns }) => `${rows}x${columns}`);
  return `#${[...parts, ...(hasLabels ? ['labels'] : [])].join(',')}`;
}

/** Reads settings from a hash. A hash that is not from {@link toHash} gives the defaults. */
export function fromHash(hash: string): Settings {
  const parts = hash.slice(1).split(',');
  const hasLabels = parts.at(-1) === 'labels';
  const sizes = parts.slice(0, DEFAULTS.sizes.length).map((part) => {
    const [rows, columns] = part.split('x').map(Number);
    return { rows: rows ?? 0, columns: columns ?? 0 };
  });
  const isComplete = sizes.length === DEFAULTS.sizes.length && sizes.every(isPossible);
  return isComplete ? { sizes, hasLabels } : DEFAULTS;
}
