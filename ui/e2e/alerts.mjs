// Objectives and alerts as the server answers with them.

const OF = [{ column: 'service', op: '=', value: 'checkout' }];
const SETTINGS = {
  objectives: [
    {
      name: 'orders are mailed',
      target: 0.99,
      days: 30,
      measure: {
        actions: { begin: OF, end: { service: 'notify', name: 'SendEmail' }, within_ms: 5000 },
      },
    },
  ],
  alerts: [
    {
      name: 'many fail',
      query: { dataset: 'spans', calculations: [{ op: 'COUNT' }], filters: OF, time_range: 300 },
      op: '>',
      value: 20,
      for_minutes: 5,
      every_minutes: 1,
      severity: 'warning',
    },
  ],
};

/** What is watched. @param {any} set */
export function alerts(set) {
  const settings = set ?? SETTINGS;
  const rule = { short_seconds: 300, long_seconds: 3600, burn: 14.4, severity: 'critical' };
  const objective = {
    state: 'firing',
    severity: 'critical',
    since_unix_nanos: '1795132800000000000',
    until_unix_nanos: '1795133400000000000',
    good: 11980,
    bad: 20,
    left: 0.634,
    burn: 14.42,
    lasts_seconds: 112000,
    rules: [{ ...rule, short: 22.1, long: 14.42, holds: true }],
    left_out: 12,
    late: ['6740a1f09c3b5d2e8f7a4b1c0d9e8f7a'],
    error: null,
  };
  const alert = {
    state: 'ok',
    severity: 'warning',
    since_unix_nanos: null,
    until_unix_nanos: '1795133400000000000',
    value: 3,
    groups: [],
    error: null,
  };
  const named =
    (/** @type {any} */ now) =>
    (/** @type {{ name: string }} */ { name }) => ({
      name,
      ...now,
    });
  return {
    settings,
    objectives: (settings.objectives ?? []).map(named(objective)),
    alerts: (settings.alerts ?? []).map(named(alert)),
  };
}
