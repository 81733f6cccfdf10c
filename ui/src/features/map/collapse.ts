/** A map of hundreds says nothing: what belongs together becomes one, until somebody opens it. */
import { worse } from '../../widgets/map/graph';
import { addUp, type Atlas, type Flow, type Party } from './model';
import { waitTogether } from './waits';

export const NODES_MAX = 150;
const MEMBERS_MIN = 3;

/** Layers that can be left out. */
export type Layer = 'functions' | 'resources' | 'outside';

export function layerOf(party: Party): Layer {
  if (party.shape === 'outside') return 'outside';
  return party.shape === 'function' || party.shape === 'group' ? 'functions' : 'resources';
}

export function hideLayers(atlas: Atlas, hidden: ReadonlySet<Layer>): Atlas {
  if (hidden.size === 0) return atlas;
  const parties = atlas.parties.filter((party) => !hidden.has(layerOf(party)));
  const shown = new Set(parties.map((party) => party.id));
  const flows = atlas.flows.filter((flow) => shown.has(flow.from) && shown.has(flow.to));
  return { ...atlas, parties, flows };
}

/** Groups by the first word of the name, such as a stack's, when there are too many; `open` ones stay apart. */
export function collapse(atlas: Atlas, open: ReadonlySet<string>, max = NODES_MAX): Atlas {
  if (atlas.parties.length <= max) return atlas;
  const groups = new Map<string, Party[]>();
  for (const party of atlas.parties) {
    const id = groupOf(party);
    const known = groups.get(id);
    if (known) known.push(party);
    else groups.set(id, [party]);
  }
  const homeOf = new Map<string, string>();
  const parties: Party[] = [];
  for (const [id, members] of groups) {
    if (members.length < MEMBERS_MIN || open.has(id)) parties.push(...members);
    else {
      parties.push(merged(id, members));
      for (const member of members) homeOf.set(member.id, id);
    }
  }
  return { ...atlas, parties, flows: mergedFlows(atlas.flows, homeOf) };
}

function groupOf(party: Party): string {
  if (party.shape === 'outside') {
    // Hosts of one owner: the last two labels of the name.
    return `group:*.${party.name.replace(/:\d+$/, '').split('.').slice(-2).join('.')}`;
  }
  const name = party.service ?? party.name;
  return `group:${/^[^-_./]+/.exec(name)?.[0] ?? name}`;
}

function merged(id: string, members: readonly Party[]): Party {
  const level = members.reduce((worst, member) => worse(worst, member.level), members[0]!.level);
  const strange = members.filter((member) => member.level === level && level !== 'normal');
  return {
    id,
    name: id.slice('group:'.length),
    kind: `${members.length} together`,
    shape: 'group',
    service: null,
    seen: addUp(members.map((member) => member.seen)),
    usual: addUp(members.map((member) => member.usual)),
    p99: Math.max(...members.map((member) => member.p99)),
    coldStarts: members.reduce((all, member) => all + member.coldStarts, 0),
    wait: waitTogether(members.map((member) => member.wait)),
    members: members.map((member) => member.id),
    level,
    why: strange.map((member) => `${member.name}: ${member.why}`).join('; '),
  };
}

function mergedFlows(flows: readonly Flow[], homeOf: ReadonlyMap<string, string>): readonly Flow[] {
  const found = new Map<string, Flow>();
  for (const flow of flows) {
    const from = homeOf.get(flow.from) ?? flow.from;
    const to = homeOf.get(flow.to) ?? flow.to;
    if (from === to && from !== flow.from) continue;
    const id = `${from} ${to}`;
    const other = found.get(id);
    found.set(id, other ? together(other, flow) : { ...flow, id, from, to });
  }
  return [...found.values()];
}

function together(a: Flow, b: Flow): Flow {
  const worst = worse(a.level, b.level) === a.level ? a : b;
  return {
    ...a,
    asynchronous: a.asynchronous && b.asynchronous,
    seen: addUp([a.seen, b.seen]),
    usual: addUp([a.usual, b.usual]),
    p99: Math.max(a.p99, b.p99),
    throttles: a.throttles + b.throttles,
    wait: waitTogether([a.wait, b.wait]),
    operations: [...new Set([...a.operations, ...b.operations])].slice(0, 20),
    level: worst.level,
    why: worst.why,
  };
}
