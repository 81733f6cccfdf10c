import { describe, expect, it } from 'vitest';
import type { Finding } from '../../api/model';
import { isOwnNode, outerOf } from './outer';

const ALERT = {
  kind: 'alertmanager',
  detail: {
    source: 'Alertmanager',
    labels: { alertname: 'HighLatency', severity: 'page' },
    href: 'http://prometheus:9090/graph?g0.expr=x',
  },
} as unknown as Finding;

describe('an alert of another program', () => {
  it('has its labels and where it comes from', () => {
    expect(outerOf(ALERT)).toEqual({
      source: 'Alertmanager',
      labels: [
        ['alertname', 'HighLatency'],
        ['severity', 'page'],
      ],
      href: 'http://prometheus:9090/graph?g0.expr=x',
    });
  });

  it('leads to web addresses alone', () => {
    for (const href of ['', 'javascript:alert(1)', '//x', undefined])
      expect(outerOf({ ...ALERT, detail: { ...ALERT.detail, href } })?.href).toBeNull();
  });

  it('is nothing that was found here', () => {
    expect(outerOf({ ...ALERT, kind: 'latency' })).toBeNull();
  });

  it('may be of nothing on the map', () => {
    expect(isOwnNode('alert:Watchdog')).toBe(true);
    expect(isOwnNode('function:alert')).toBe(false);
  });
});
