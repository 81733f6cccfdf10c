/** Whom a question is about, as far as its conditions say it. */
import type { Condition } from './condition';

export interface Subject {
  /** Its id on the map; empty where only its name is known, or none. */
  readonly node: string;
  /** Its name, by which the server finds it, where its id is not known. */
  readonly q: string;
  /** The ids that it may have on the map; none if the question is about everybody. */
  readonly nodes: readonly string[];
}

export const EVERYBODY: Subject = { node: '', q: '', nodes: [] };

/** Of conditions that all hold. A service is a function or none: that only the server knows. */
export function subjectOf(conditions: readonly Condition[]): Subject {
  const named = (column: string): string => {
    const found = conditions.find((each) => each.column === column && each.op === '=');
    return found === undefined ? '' : String(found.value);
  };
  const [name, service] = [named('faas.name'), named('service')];
  if (name !== '') return { node: `function:${name}`, q: '', nodes: [`function:${name}`] };
  if (service === '') return EVERYBODY;
  return { node: '', q: service, nodes: [`function:${service}`, `service:${service}`] };
}
