import { CHECKSUM_DIGITS } from './checksum.js';

/** Names of shards of this library. */
const OWN = new RegExp(`^(.+)-(\\d{5,})-([0-9a-f]{${CHECKSUM_DIGITS}})\\.parquet$`);

/** Returns the name of a shard. It holds the checksum, so one rename commits both. */
export function shardName(writer: string, number: number, checksum: string): string {
  return `${writer}-${String(number).padStart(5, '0')}-${checksum}.parquet`;
}

/** Whether a file is a shard, of this library or of another program. */
export function isShard(name: string): boolean {
  return name.endsWith('.parquet') && !name.startsWith('.');
}

/** Returns the checksum in the name; undefined for shards of other programs. */
export function checksumIn(name: string): string | undefined {
  return OWN.exec(name)?.[3];
}

/** Returns the number of the next shard of a writer. */
export function nextNumber(writer: string, names: readonly string[]): number {
  const own = names.map((name) => OWN.exec(name)).filter((match) => match?.[1] === writer);
  return own.reduce((next, match) => Math.max(next, Number(match![2]) + 1), 0);
}
