/** Actions in words, and what of them can be changed before they are proposed. */
import type {
  Action,
  AuditEntry,
  FittingActions,
  Plan,
  ShownAction,
  SourceList,
  Standing,
} from '../../api/model';
import { parseUnixNanos, type UnixNanos } from '../../base/time';

/** A number or a text of an action that a person may change. */
export interface Field {
  readonly name: 'days' | 'hours' | 'memory_mb' | 'person' | 'reason';
  readonly label: string;
  readonly isNumber: boolean;
}

const FIELDS: readonly Field[] = [
  { name: 'memory_mb', label: 'MB', isNumber: true },
  { name: 'hours', label: 'hours', isNumber: true },
  { name: 'person', label: 'whom', isNumber: false },
  { name: 'reason', label: 'why', isNumber: false },
  { name: 'days', label: 'days', isNumber: true },
];

/** What of an action can be changed. */
export function fieldsOf(action: Action): readonly Field[] {
  return FIELDS.filter(({ name }) => action[name] !== undefined);
}

/** The action with another value; what is no number leaves it as it is. */
export function changed(action: Action, field: Field, text: string): Action {
  if (!field.isNumber) return { ...action, [field.name]: text };
  const number = Number(text);
  return Number.isInteger(number) && number > 0 ? { ...action, [field.name]: number } : action;
}

/**
 * The functions whose event sources are worth knowing, where the account may be changed: those that take what findings
 * are about, and those that could be stopped.
 */
export function consumersOf({ place, proposals, consumers }: FittingActions): readonly string[] {
  if (place === 'off') return [];
  const stopped = proposals.flatMap(({ action }) =>
    action.do === 'stop' && action.function !== undefined ? [action.function] : [],
  );
  return [...new Set([...consumers, ...stopped])].slice(0, CONSUMERS_MAX);
}

/** What could be disabled of a function and is not among the proposals already. */
export function othersOf(
  sources: SourceList['sources'],
  proposals: FittingActions['proposals'],
): SourceList['sources'] {
  const proposed = new Set(proposals.map(({ action }) => action.source));
  return sources.filter(({ id, enabled }) => enabled && !proposed.has(id));
}

/** The nodes that an action names, so that they can be shown by their names. */
export function nodesOf({ node, to, resource }: Action): readonly string[] {
  return [node, to, resource].filter((id) => id !== undefined);
}

/** What fits: the first of each sort, as messages have them, and the rest. */
export function firstOfEach(proposals: FittingActions['proposals']): {
  readonly first: FittingActions['proposals'];
  readonly others: FittingActions['proposals'];
} {
  const isFirst = ({ action }: FittingActions['proposals'][number], at: number) =>
    proposals.findIndex((each) => each.action.do === action.do) === at;
  return {
    first: proposals.filter(isFirst),
    others: proposals.filter((each, at) => !isFirst(each, at)),
  };
}

/** Each takes a call of the account. */
const CONSUMERS_MAX = 3;

/** The number of the incident in a link, if it has one. */
export function incidentOf(parameters: URLSearchParams): string | null {
  const number = parameters.get('incident');
  return number !== null && /^\d{1,20}$/.test(number) ? number : null;
}

const STATES: Record<Standing['state'], string> = {
  proposed: 'nobody has confirmed it yet',
  begun: 'it is being done, or nobody knows whether it was',
  done: 'done',
  failed: 'it failed, and nothing was changed',
  undone: 'undone',
  drifted: 'somebody has changed it since, so it is theirs',
};

export function stateWords(state: Standing['state']): string {
  return STATES[state];
}

/** Whether there is something to undo. */
export function canUndo({ state }: Standing): boolean {
  return state === 'done' || state === 'begun';
}

/** Whether it ends by itself and need not. */
export function canKeep(standing: Standing): boolean {
  const { action, until_unix_nanos: until } = standing;
  return action.do === 'memory' && until !== null && canUndo(standing);
}

/** For how long it would be tried; null of what always ends, or never. */
export function triedFor({ do: what, hours }: Action): string | null {
  if (what !== 'memory' || hours === undefined) return null;
  const [count, unit] = hours % 24 === 0 ? [hours / 24, 'day'] : [hours, 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** How it stands, and who has done and kept it. */
export function standingWords({ state, who, kept_by: kept }: Standing): string {
  const by = who === null ? '' : `, by ${who}`;
  return `${stateWords(state)}${by}${kept === null ? '' : `, kept by ${kept}`}`;
}

/** What came of it, and that it can be undone where it is worse; nothing of what is not verified. */
export function outcome(standing: Standing): string {
  const { action, state, verified } = standing;
  if (verified !== null) return `${verified.sentence}${isWorse(standing) ? ': undo it?' : ''}`;
  if (action.do !== 'memory' || state !== 'done') return '';
  const told = 'what comes of it is told after 200 invocations with this size';
  return canKeep(standing)
    ? `${told}; it is put back unless that is as predicted, or somebody keeps it`
    : told;
}

/** Whether it is slower than was predicted and can be undone. */
export function isWorse(standing: Standing): boolean {
  return standing.verified?.verdict === 'slower' && canUndo(standing);
}

/** A moment at which something was done, or not. */
export interface DoneMoment {
  readonly time: UnixNanos;
  readonly what: string;
  readonly nodes: readonly string[];
}

/**
 * What was done of these actions, when and by whom. The audit log has the time of each step; where
 * it is only known in part, how the action stands says the rest.
 */
export function doneMoments(
  actions: readonly Standing[],
  entries: readonly AuditEntry[],
): readonly DoneMoment[] {
  return actions.flatMap((standing) => {
    const { id, title, state, done_unix_nanos: done } = standing;
    const nodes = nodesOf(standing.action);
    const by = standing.who === null ? '' : ` by ${standing.who}`;
    // The newest of each: what is undone by itself may be tried often.
    const mine = entries.filter((entry) => entry.id === id).reverse();
    const steps = new Map(mine.map((entry) => [entry.event, entry]));
    const told = [...steps.values()].flatMap((entry) => {
      const time = parseUnixNanos(entry.at_unix_nanos);
      const words = stepWords(entry, by);
      return time === null || words === null ? [] : [{ time, what: `${words}: ${title}`, nodes }];
    });
    const doneAt = steps.has('did') || done === null ? null : parseUnixNanos(done);
    if (doneAt === null) return told;
    const since = state === 'undone' && !steps.has('undid') ? ', undone since' : '';
    return [{ time: doneAt, what: `done${by}${since}: ${title}`, nodes }, ...told];
  });
}

/** One step; null of what changes nothing. */
function stepWords({ event, who, why }: AuditEntry, by: string): string | null {
  const because = why === undefined ? '' : ` (${why})`;
  switch (event) {
    case 'did':
      return `done${by}`;
    case 'failed':
      return `tried${by}, and failed${because}`;
    case 'undid':
      return `undone by ${who}`;
    case 'kept':
      return `kept by ${who}`;
    case 'undo_failed':
      return `could not be undone by ${who}${because}`;
    default:
      return null;
  }
}

const EVENTS: Record<AuditEntry['event'], string> = {
  proposed: 'proposed it',
  began: 'confirmed it',
  did: 'it was done',
  failed: 'it failed',
  undid: 'undid it',
  undo_failed: 'could not undo it',
  kept: 'keeps it',
  verified: 'looked at what came of it',
  stopped: 'stopped all actions',
  resumed: 'let actions be done again',
};

/** `ada confirmed it (through a link for mail)`. */
export function entryWords(entry: AuditEntry): string {
  const through =
    entry.by_link_for === undefined || entry.by_link_for === 'page'
      ? ''
      : ` (through a link for ${entry.by_link_for})`;
  const said = entry.why ?? entry.sentence;
  const why = said === undefined ? '' : `: ${said}`;
  return `${entry.who} · ${EVENTS[entry.event]}${through}${why}`;
}

/** A call as one reads it in AWS's documentation, with what is sent below it. */
export function callText(call: Plan['calls'][number]): string {
  const sent =
    call.parameters === null || call.parameters === undefined
      ? ''
      : `\n${JSON.stringify(call.parameters, null, 2)}`;
  return `${call.service}:${call.operation}  ${call.method} ${call.path}${sent}`;
}

/** `service:web, by way of function:order`. */
export function behindWords({ node, way, path }: ShownAction['behind'][number]): string {
  const between = path.slice(1, -1).join(' and ');
  return way === 'upstream'
    ? `${node}, by way of ${between}`
    : `${node}, which gets what is handed over by way of ${between}`;
}

/** The link, as a path and query of this page and of nothing else. */
export function linkOf(path: string): string | null {
  return /^\/act\/[0-9a-z]+\?k=[\w-]+$/.test(path) ? path : null;
}
