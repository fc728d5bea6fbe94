import { INDEX_SHARDS } from "../connections/connectionItems";
import { errorFields, type Log } from "../log";

/**
 * Sweeps the shards of an index in parallel, each page by page, until `signal` aborts. A shard that cannot be read does not
 * affect the others.
 *
 * @returns the shards that could not be read
 */
export async function sweepShards<T>(
  read: (shard: string) => AsyncIterable<T>,
  sweepPage: (page: T) => Promise<unknown>,
  log: Log,
  signal: AbortSignal,
): Promise<string[]> {
  const unread: string[] = [];
  const sweepShard = async (shard: string) => {
    try {
      for await (const page of read(shard)) await sweepPage(page);
    } catch (error) {
      if (signal.aborted) return;
      log.error("shard not read", { shard, ...errorFields(error) });
      unread.push(shard);
    }
  };
  await Promise.all(INDEX_SHARDS.map(sweepShard));
  return unread;
}
