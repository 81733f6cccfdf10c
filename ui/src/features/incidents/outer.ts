/** What a finding says that another program has told. */
import type { Finding } from '../../api/model';

/** An alert of an Alertmanager or a Prometheus. */
export interface OuterAlert {
  readonly source: string;
  readonly labels: readonly (readonly [name: string, text: string])[];
  /** Where it comes from, if that is a web address. */
  readonly href: string | null;
}

/** The alert that a finding is; null if it was found here. */
export function outerOf({ kind, detail }: Finding): OuterAlert | null {
  if (kind !== 'alertmanager' && kind !== 'prometheus') return null;
  const { source, labels, href } = detail;
  const named = typeof labels === 'object' && labels !== null ? Object.entries(labels) : [];
  return {
    source: String(source),
    labels: named.map(([name, text]) => [name, String(text)] as const),
    // Nobody is led anywhere but to a web address.
    href: typeof href === 'string' && /^https?:\/\//.test(href) ? href : null,
  };
}

/** Whether it is the node of an alert of which nothing on the map is known. */
export function isOwnNode(node: string): boolean {
  return node.startsWith('alert:');
}
