/** Where a span ran: the function's settings, and what its invocation used of them. */
import type { Attributes, Json, Log, Span } from '../../api/model';
import { formatCount, formatDuration } from '../../base/format';
import { durationFromMillis } from '../../base/time';
import { versionOf } from './code';

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** In MB, as Lambda counts it. */
export interface Memory {
  readonly used: number;
  readonly size: number;
}

export interface Environment {
  readonly facts: readonly Fact[];
  /** Null while no report of the invocation is here. */
  readonly memory: Memory | null;
  /** Of the function, or of the service where that is no function; null for spans that nobody sent. */
  readonly page: { readonly name: string; readonly href: string } | null;
}

/** `invocation` is the one that the span ran in, `logs` are that one's. */
export function environmentOf(
  span: Span,
  invocation: Span | null,
  logs: readonly Log[],
): Environment {
  const told = attributesTold(invocation, logs);
  const { resource } = span;
  const size = megabytes(resource) ?? numberIn(told, 'throughline.memory.size_mb');
  const used = numberIn(told, 'throughline.memory.max_used_mb');
  const facts: readonly (readonly [string, string | null])[] = [
    ['Function', words(resource['faas.name'])],
    ['Version of the function', words(resource['faas.version'])],
    ['Version of the code', versionOf(resource)],
    ['Region', words(resource['cloud.region'])],
    ['Account', words(resource['cloud.account.id'])],
    ['Runtime', runtimeOf(resource)],
    ['Architecture', words(resource['host.arch'])],
    ['Memory size', size === null ? null : `${formatCount(size)}\u202fMB`],
    ['Start', startWords(invocation, told)],
    ['Billed', duration(told, 'throughline.duration.billed_ms')],
    ['Trigger', words(told['faas.trigger'])],
    ['Host', words(resource['host.name'])],
    ['Request id', words(told['faas.invocation_id'])],
    ['Environment', words(resource['faas.instance'] ?? resource['service.instance.id'])],
  ];
  return {
    facts: facts.flatMap(([label, value]) => (value === null ? [] : [{ label, value }])),
    memory: size !== null && used !== null ? { used, size } : null,
    page: span.inferred ? null : pageOf(resource),
  };
}

function pageOf(resource: Attributes): Environment['page'] {
  const name = words(resource['faas.name'] ?? resource['service.name']);
  return name === null ? null : { name, href: `/functions/${encodeURIComponent(name)}` };
}

/** Of the invocation and of its report, which comes as a log record. */
function attributesTold(invocation: Span | null, logs: readonly Log[]): Attributes {
  const report = logs.find((log) => log.attributes['throughline.memory.max_used_mb'] !== undefined);
  return { ...report?.attributes, ...invocation?.attributes };
}

function startWords(invocation: Span | null, told: Attributes): string | null {
  if (invocation === null || told['faas.coldstart'] === undefined) return null;
  if (told['faas.coldstart'] !== true) return 'warm: the environment was there';
  const init = duration(told, 'throughline.duration.init_ms');
  return init === null ? 'cold' : `cold: ${init} to start the environment`;
}

function runtimeOf(resource: Attributes): string | null {
  const name = words(resource['process.runtime.name'] ?? resource['telemetry.sdk.language']);
  const version = words(resource['process.runtime.version']);
  return name === null ? null : [name, version].filter((part) => part !== null).join(' ');
}

function megabytes(resource: Attributes): number | null {
  const bytes = numberIn(resource, 'faas.max_memory');
  return bytes === null ? null : Math.round(bytes / 1_048_576);
}

function duration(told: Attributes, key: string): string | null {
  const millis = numberIn(told, key);
  return millis === null ? null : formatDuration(durationFromMillis(millis));
}

function numberIn(attributes: Attributes, key: string): number | null {
  const value = attributes[key];
  return typeof value === 'number' ? value : null;
}

function words(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
