import fc from 'fast-check';

/** One change of a payload: a place, an operation, and a value for it. */
export interface Mutation {
  readonly place: number;
  readonly action: 'delete' | 'replace' | 'number' | 'truncate' | 'duplicate' | 'swap' | 'rename';
  readonly value: unknown;
  readonly amount: number;
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    Number.NaN,
    Infinity,
    -Infinity,
    -9999,
    0,
    1,
    2,
    3,
    -1,
    1.5,
    1e9,
    '',
    '1',
    'token',
    true,
    [],
    {},
    [null],
    10n,
  ),
  fc.double({ min: -6, max: 0.5, noNaN: true }),
  fc.integer({ min: 0, max: 9 }),
);

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    place: fc.nat(),
    action: fc.constantFrom<Mutation['action']>(
      'delete',
      'replace',
      'number',
      'truncate',
      'duplicate',
      'swap',
      'rename',
    ),
    value: junk,
    amount: fc.nat(7),
  }),
  { minLength: 1, maxLength: 3 },
);

type Holder = Record<string, unknown>;

/** Every place of a payload: an object or array, and one of its keys. */
function placesOf(value: unknown): [holder: Holder, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key): [Holder, string][] => [
    [holder, key],
    ...placesOf(holder[key]),
  ]);
}

/** Copies a payload with changes. */
export function mutate<T>(payload: T, changes: readonly Mutation[]): T {
  const copy = structuredClone(payload);
  for (const { place, action, value, amount } of changes) {
    const places = placesOf(copy);
    if (places.length === 0) break;
    const [holder, key] = places[place % places.length]!;
    actions[action](holder, key, structuredClone(value), amount);
  }
  return copy;
}

type Action = (holder: Holder, key: string, value: unknown, amount: number) => void;

const actions: Record<Mutation['action'], Action> = {
  delete(holder, key) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  replace(holder, key, value) {
    holder[key] = value;
  },
  number(holder, key, value, amount) {
    const old = holder[key];
    if (typeof old !== 'number') holder[key] = value;
    else holder[key] = [old + 1, old - 1, -old, old / 2, 2 * old, old + 1e-4, 0, old + 256][amount];
  },
  truncate(holder, key, value, amount) {
    const old = holder[key];
    if (typeof old === 'string') holder[key] = old.slice(0, -amount - 1);
    else if (Array.isArray(old)) old.length = Math.max(0, old.length - 1 - (amount % 2));
    else holder[key] = value;
  },
  duplicate(holder, key, _, amount) {
    if (Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(holder[key]));
    else holder[String(amount)] = structuredClone(holder[key]);
  },
  swap(holder, key, _, amount) {
    const keys = Object.keys(holder);
    const other = keys[amount % keys.length]!;
    [holder[key], holder[other]] = [holder[other], holder[key]];
  },
  rename(holder, key, _, amount) {
    const old = holder[key];
    if (typeof old === 'string') {
      // Another character of base64.
      const at = amount % Math.max(1, old.length);
      holder[key] = `${old.slice(0, at)}A${old.slice(at + 1)}`;
    } else if (!Array.isArray(holder)) {
      delete holder[key];
      holder[`${key}${amount}`] = old;
    }
  },
};
