/** What the page of a trace can show of it; the address names it. */
export type TraceTab = 'waterfall' | 'between' | 'logs' | 'graph' | 'compare';

export function tabIn(text: string | null): TraceTab {
  return TABS.find((tab) => tab === text) ?? 'waterfall';
}

const TABS: readonly TraceTab[] = ['waterfall', 'between', 'logs', 'graph', 'compare'];
