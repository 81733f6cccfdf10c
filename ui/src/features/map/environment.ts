/** The map of one environment: what the functions in it call. */
import type { EdgeMap, Operation, QuerySpec, Table } from '../../api/model';
import { ENVIRONMENT_KEY } from '../../base/environment';

/** Whose spans were seen in an environment, and whose in others. */
export interface Inhabitants {
  /** Ids of nodes: `function:order`, `service:gateway`. */
  readonly here: ReadonlySet<string>;
  readonly elsewhere: ReadonlySet<string>;
  /** Whose spans name no environment. */
  readonly nowhere: ReadonlySet<string>;
}

/** Asks for functions and services with the environments that they are in. */
export function inhabitantsSpec(from: number, to: number): QuerySpec {
  return {
    dataset: 'spans',
    breakdowns: ['faas.name', 'service', ENVIRONMENT_KEY],
    calculations: [{ op: 'COUNT' }],
    start_time: from,
    end_time: to,
    limit: INHABITANTS_MAX,
  };
}

/** Rows of function, service, environment and a count. */
export function inhabitantsOf(table: Table, environment: string): Inhabitants {
  const found = {
    here: new Set<string>(),
    elsewhere: new Set<string>(),
    nowhere: new Set<string>(),
  };
  for (const [name, service, where] of table.rows) {
    const ids = where === environment ? found.here : where ? found.elsewhere : found.nowhere;
    if (name) ids.add(`function:${String(name)}`);
    if (service) ids.add(`service:${String(service)}`);
  }
  return found;
}

/** Without all that somebody has a part in who is not in the environment. */
export function mapIn(map: EdgeMap, { here, elsewhere, nowhere }: Inhabitants): EdgeMap {
  const isAway = (id: string): boolean => !here.has(id) && (elsewhere.has(id) || nowhere.has(id));
  const edges = map.edges.filter(({ from, to }) => !isAway(from) && !isAway(to) && from !== OTHER);
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = map.nodes.filter(({ id }) => ends.has(id));
  return { ...map, nodes, edges, total: edges.length };
}

export function operationsIn(
  operations: readonly Operation[],
  { here }: Inhabitants,
): readonly Operation[] {
  return operations.filter(({ service }) => here.has(`service:${service}`));
}

/** Of those on the map, who is in other environments too: edges are counted in all of them together. */
export function sharedIn(map: EdgeMap, { here, elsewhere }: Inhabitants): readonly string[] {
  const isShared = (id: string): boolean => here.has(id) && elsewhere.has(id);
  return map.nodes
    .filter(({ id }) => isShared(id))
    .map(({ name }) => name)
    .sort();
}

/** Calls that the server had no room to tell apart. */
const OTHER = 'other:(other)';
const INHABITANTS_MAX = 1000;
