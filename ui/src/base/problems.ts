/** What is wrong with settings, each with the place that it is wrong in. */

/** One thing that is wrong. */
export interface Problem {
  /** `receivers[2].channel.url` */
  readonly place: string;
  readonly why: string;
}

/**
 * What a refusal of the server names: `receivers[0].name: it is empty; routes: there are 201`.
 * Only places below `roots` are such; none are found in a message of another form.
 */
export function problemsOf(message: string, roots: readonly string[]): readonly Problem[] {
  const step = String.raw`(?:\[\d+\]|\.[a-z_]+)*`;
  const place = new RegExp(`(?:^|; )((?:${roots.join('|')})${step}): `, 'g');
  const found = [...message.matchAll(place)];
  return found.map((match, at) => ({
    place: match[1]!,
    why: message.slice(match.index + match[0].length, found[at + 1]?.index),
  }));
}

/** Whether a place is another one or in it: `routes[1].name` is in `routes[1]`. */
export function isIn(place: string, outer: string): boolean {
  if (!place.startsWith(outer)) return false;
  const next = place[outer.length];
  return next === undefined || next === '.' || next === '[';
}

/** What is said of a field: of itself, and of the entries of its list. Null if nothing is. */
export function whyAt(problems: readonly Problem[], place: string): string | null {
  const whys = problems.filter((problem) => isOwn(problem.place, place)).map(({ why }) => why);
  return whys.length === 0 ? null : whys.join('; ');
}

/** The things in lists that something is wrong with: `receivers[2]`. */
export function rowsOf(problems: readonly Problem[]): readonly string[] {
  const rows = problems.flatMap(({ place }) => /^[a-z_]+\[\d+\]/.exec(place)?.[0] ?? []);
  return [...new Set(rows)];
}

/** The id of the field of a place. */
export function fieldId(place: string): string {
  return `field-${place}`;
}

/** The place itself, then those that it is in, the narrowest first. */
export function placesAround(place: string): readonly string[] {
  const found = [place];
  for (let rest = place; /[.[]/.test(rest);) {
    rest = rest.slice(0, Math.max(rest.lastIndexOf('.'), rest.lastIndexOf('[')));
    found.push(rest);
  }
  return found;
}

function isOwn(place: string, field: string): boolean {
  return isIn(place, field) && /^(\[\d+\])?$/.test(place.slice(field.length));
}
