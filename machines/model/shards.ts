/** Which socket carries which stream. Total functions over plain data; the collector keeps the data. */

/** A shard, by what it carries. What it ever carried keeps its place there, so that it can come back to it. */
export interface Shard<Stream extends Placed = Placed> {
  readonly id: string;
  readonly streams: readonly Stream[];
}

export interface Placed {
  readonly id: string;
}

/** What a shard is given. `isNew`: it has to be made first. */
export interface Placement<Stream extends Placed> {
  readonly id: string;
  readonly isNew: boolean;
  readonly streams: readonly Stream[];
}

/**
 * Finds a shard for each stream: the one that has it, else the one with most room left, else a new one. None gets
 * more than `perSocket`. Ids of shards are never used again; their number is bounded by the series that there are.
 */
export function place<Stream extends Placed>(
  streams: readonly Stream[],
  shards: readonly Shard[],
  perSocket: number,
): Placement<Stream>[] {
  const home = new Map(
    shards.flatMap(({ id, streams }) => streams.map((stream) => [stream.id, id] as const)),
  );
  const loads = new Map(shards.map(({ id, streams }) => [id, streams.length]));
  const placed = new Map<string, Stream[]>();
  for (const stream of streams) {
    const known = home.get(stream.id);
    const id = known ?? roomiest(loads, perSocket) ?? `feed${loads.size}`;
    if (known === undefined) loads.set(id, (loads.get(id) ?? 0) + 1);
    home.set(stream.id, id);
    const given = placed.get(id);
    if (given === undefined) placed.set(id, [stream]);
    else given.push(stream);
  }
  const isOld = new Set(shards.map(({ id }) => id));
  return [...placed].map(([id, given]) => ({ id, isNew: !isOld.has(id), streams: given }));
}

/** The shards as they are with what they were given. */
export function withPlaced<Stream extends Placed, S extends Shard<Stream>>(
  shards: readonly S[],
  placements: readonly Placement<Stream>[],
): S[] {
  const given = new Map(placements.map(({ id, streams }) => [id, streams]));
  return shards.map((shard) => {
    const known = new Set(shard.streams.map(({ id }) => id));
    const fresh = given.get(shard.id)?.filter(({ id }) => !known.has(id)) ?? [];
    return fresh.length === 0 ? shard : { ...shard, streams: [...shard.streams, ...fresh] };
  });
}

/** The shard with the fewest streams that is not full. */
function roomiest(loads: ReadonlyMap<string, number>, perSocket: number): string | undefined {
  let best: string | undefined;
  let least = perSocket;
  for (const [id, load] of loads) {
    if (load >= least) continue;
    best = id;
    least = load;
  }
  return best;
}

/** The ids of each shard among those given. */
export function byShard(
  ids: readonly string[],
  shards: readonly Shard[],
): { readonly id: string; readonly ids: readonly string[] }[] {
  const wanted = new Set(ids);
  return shards
    .map(({ id, streams }) => ({
      id,
      ids: streams.filter((stream) => wanted.has(stream.id)).map((stream) => stream.id),
    }))
    .filter((shard) => shard.ids.length > 0);
}
