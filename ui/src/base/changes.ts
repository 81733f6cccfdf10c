/** What differs between two states of the same settings, and how two changes become one. */

type Item = Readonly<Record<string, unknown>>;
/** Settings: lists of things with or without a name, and single values. */
export type Lists = object;

/** One thing that differs. */
export interface Change {
  /** The field of the settings: `receivers`. */
  readonly field: string;
  /** The name of the thing in it; empty where it has none. */
  readonly name: string;
  readonly how: 'added' | 'removed' | 'changed';
}

export function changesOf(before: Lists, after: Lists): readonly Change[] {
  return fieldsOf(before, after).flatMap((field) => {
    const [was, is] = [valueOf(before, field), valueOf(after, field)];
    if (isSame(was, is)) return [];
    if (!isList(was) || !isList(is)) return [{ field, name: '', how: 'changed' as const }];
    return changesOfList(field, was, is);
  });
}

/**
 * What both have made of the same settings: what only one has changed is as they have left it, and
 * what both have changed is as `mine` has it.
 */
export function merged<T extends Lists>(base: T, mine: T, theirs: T): T {
  const fields = fieldsOf(mine, theirs).map((field) => {
    const [was, here, there] = [valueOf(base, field), valueOf(mine, field), valueOf(theirs, field)];
    if (isSame(was, here)) return [field, there];
    if (isSame(was, there) || !isList(here) || !isList(there)) return [field, here];
    return [field, mergedLists(isList(was) ? was : [], here, there)];
  });
  return Object.fromEntries(fields) as T;
}

/** By what a thing is known: its name, or all of it. */
export function nameOf(item: unknown): string {
  const { name } = (typeof item === 'object' && item !== null ? item : {}) as Item;
  return typeof name === 'string' ? name : JSON.stringify(item);
}

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function changesOfList(
  field: string,
  was: readonly unknown[],
  is: readonly unknown[],
): readonly Change[] {
  const find = (list: readonly unknown[], name: string): unknown =>
    list.find((each) => nameOf(each) === name);
  const names = [...new Set([...was, ...is].map(nameOf))];
  const found = names.flatMap((name): readonly Change[] => {
    const [before, after] = [find(was, name), find(is, name)];
    if (before === undefined) return [{ field, name, how: 'added' }];
    if (after === undefined) return [{ field, name, how: 'removed' }];
    return isSame(before, after) ? [] : [{ field, name, how: 'changed' }];
  });
  // Only their order can differ then.
  return found.length > 0 ? found : [{ field, name: '', how: 'changed' }];
}

/** Theirs in their order, with what I changed, without what I removed; what I added is behind it. */
function mergedLists(
  was: readonly unknown[],
  mine: readonly unknown[],
  theirs: readonly unknown[],
): readonly unknown[] {
  const byName = (list: readonly unknown[]): ReadonlyMap<string, unknown> =>
    new Map(list.map((each) => [nameOf(each), each]));
  const [before, here, there] = [byName(was), byName(mine), byName(theirs)];
  const kept = theirs.flatMap((item) => {
    const name = nameOf(item);
    const [own, old] = [here.get(name), before.get(name)];
    if (own === undefined) return old === undefined ? [item] : [];
    return [isSame(own, old) ? item : own];
  });
  const isOwn = (item: unknown): boolean => {
    const name = nameOf(item);
    return !there.has(name) && !isSame(item, before.get(name));
  };
  return [...kept, ...mine.filter(isOwn)];
}

function fieldsOf(one: Lists, other: Lists): readonly string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])];
}

function valueOf(settings: Lists, field: string): unknown {
  return (settings as Item)[field];
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
