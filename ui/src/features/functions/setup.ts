/** How a function is set up, as far as what it sends says so. */
import type { Attributes, Found } from '../../api/model';
import { formatValue } from '../../base/format';

export interface Setup {
  readonly facts: readonly Fact[];
  /** All that is known of who sends, for those who look for something else. */
  readonly resource: Attributes;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The newest call, and the newest span of a tracing library in the function, if one is there. */
export function setupOf(call: Found | null, library: Found | null): Setup {
  const resource = { ...library?.resource, ...call?.resource };
  const said: Attributes = { ...call?.attributes, ...resource };
  const facts = FACTS.map(({ label, of }) => ({ label, value: of(said) }));
  const extension = call?.scope.name === PLATFORM ? call.scope.version : '';
  return {
    facts: [...facts, { label: 'Extension', value: extension }].filter(({ value }) => value !== ''),
    resource,
  };
}

const FACTS: readonly { readonly label: string; readonly of: (said: Attributes) => string }[] = [
  { label: 'Memory', of: (said) => megabytes(said['faas.max_memory']) },
  {
    label: 'Runtime',
    of: (said) => words(said, 'process.runtime.name', 'process.runtime.version'),
  },
  { label: 'Architecture', of: (said) => words(said, 'host.arch') },
  { label: 'Region', of: (said) => words(said, 'cloud.region') },
  { label: 'Account', of: (said) => words(said, 'cloud.account.id') },
  { label: 'ARN', of: (said) => words(said, 'cloud.resource_id') },
  { label: 'Version', of: (said) => words(said, 'faas.version') || words(said, 'service.version') },
  { label: 'Environment', of: (said) => words(said, 'deployment.environment.name') },
  { label: 'Started as', of: (said) => words(said, 'aws.lambda.initialization_type') },
  {
    label: 'Traced by',
    of: (said) =>
      words(said, 'telemetry.distro.name', 'telemetry.distro.version') ||
      words(said, 'telemetry.sdk.name', 'telemetry.sdk.version'),
  },
  { label: 'Language', of: (said) => words(said, 'telemetry.sdk.language') },
  { label: 'Log group', of: (said) => words(said, 'aws.log.group.names') },
];

function words(said: Attributes, ...keys: readonly string[]): string {
  const values = keys.map((key) => {
    const value = said[key];
    return value === undefined || value === null
      ? ''
      : Array.isArray(value)
        ? value.map(formatValue).join(', ')
        : formatValue(value);
  });
  return values.filter((value) => value !== '').join(' ');
}

function megabytes(bytes: unknown): string {
  return typeof bytes === 'number' && bytes > 0 ? `${Math.round(bytes / 2 ** 20)}\u202fMB` : '';
}

const PLATFORM = 'throughline.platform';
