/** Where the code of a span is shown: an address with placeholders, filled in from what the span says of itself. */
import type { Attributes } from '../../api/model';

export interface CodePlace {
  readonly file: string;
  readonly line: number;
}

/** What can stand in the address. */
export const PLACEHOLDERS = ['{version}', '{file}', '{line}', '{service}', '{function}'] as const;

export const EXAMPLE = 'https://github.com/acme/shop/blob/{version}/{file}#L{line}';

/** Why an address cannot be used, in words; null if it can. */
export function templateProblem(template: string): string | null {
  if (template.trim() === '') return null;
  if (!template.includes('{file}')) return 'It needs {file} in it.';
  const unknown = template.match(/\{[^}]*\}/g)?.find((each) => !isPlaceholder(each));
  if (unknown !== undefined) return `${unknown} is not known.`;
  return isWeb(fill(template, () => 'x')) ? null : 'It has to begin with https:// or http://.';
}

/** Null where there is no usable address, or where the file is none of the function's own. */
export function codeHref(template: string, place: CodePlace, resource: Attributes): string | null {
  if (template.trim() === '' || templateProblem(template) !== null) return null;
  const file = repositoryPath(place.file);
  if (file === null) return null;
  const values: Readonly<Record<string, string>> = {
    '{version}': encodeURIComponent(versionOf(resource) ?? 'HEAD'),
    '{file}': file.split('/').map(encodeURIComponent).join('/'),
    '{line}': String(place.line),
    '{service}': encodeURIComponent(text(resource['service.name'])),
    '{function}': encodeURIComponent(text(resource['faas.name'])),
  };
  return fill(template.trim(), (name) => values[name] ?? '');
}

/**
 * What code ran: the commit if it is told, else the version of the service or
 * of the function. `$LATEST` names none.
 */
export function versionOf(resource: Attributes): string | null {
  for (const key of VERSION_KEYS) {
    const version = text(resource[key]);
    if (version !== '' && version !== '$LATEST') return version;
  }
  return null;
}

/** `src/basket.rs` of `/var/task/src/basket.rs`, `./src/basket.rs` and `file:///var/task/src/basket.rs`. */
export function repositoryPath(file: string): string | null {
  const path = file
    .replace(/^file:\/\//, '')
    .replace(/^\/var\/task\//, '')
    .replace(/^(\.\/)+/, '');
  const isOutside = path.startsWith('/') || path.startsWith('node:') || path.startsWith('<');
  return isOutside || path.includes('..') || path === '' ? null : path;
}

function fill(template: string, valueOf: (name: string) => string): string {
  return template.replace(/\{[^}]*\}/g, (name) => valueOf(name));
}

function isPlaceholder(name: string): boolean {
  return PLACEHOLDERS.some((each) => each === name);
}

/** Nothing that runs when it is pressed. */
function isWeb(address: string): boolean {
  try {
    return ['https:', 'http:'].includes(new URL(address.trim()).protocol);
  } catch {
    return false;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const VERSION_KEYS = [
  'vcs.ref.head.revision',
  'vcs.repository.ref.revision',
  'service.version',
  'faas.version',
];
