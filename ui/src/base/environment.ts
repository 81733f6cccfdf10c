/** The environment that telemetry is of, as OpenTelemetry names it: `production`, `staging`. */
export const ENVIRONMENT_KEY = 'deployment.environment.name';

/** A condition of the list of traces. */
export function environmentAttribute(environment: string): readonly string[] {
  return environment === '' ? [] : [`${ENVIRONMENT_KEY}=${environment}`];
}

/** A condition of the log search. */
export function environmentWhere(environment: string): readonly string[] {
  return environment === '' ? [] : [`${ENVIRONMENT_KEY}=${JSON.stringify(environment)}`];
}
