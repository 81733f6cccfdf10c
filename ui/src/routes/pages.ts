/** Which address shows what. Each page's code is loaded when it is first opened. */
import type { Component } from 'svelte';
import type { Api } from '../api/client';
import { ALL, LAST_HOUR, type TimeRange } from '../base/range';
import {
  EXPLORE_KEYS,
  FUNCTION_KEYS,
  GRAPH_KEYS,
  LIST_KEYS,
  LOG_KEYS,
  MAP_KEYS,
  ROW_KEYS,
  TRACE_KEYS,
  WALL_KEYS,
  type Key,
} from './help';
import type { Router } from './router.svelte';

export interface RouteProps {
  readonly api: Api;
  readonly router: Router;
  /** What the address names: a trace, a function; else empty. */
  readonly name: string;
  /** The chosen colours, for what is drawn by hand. */
  readonly theme: string;
}

export interface Page {
  /** Its entry in the navigation. */
  readonly section: string;
  readonly path: RegExp;
  readonly load: () => Promise<{ default: Component<RouteProps> }>;
  /** The time that it looks at when the address says none; null if time is not asked. */
  readonly range: TimeRange | null;
  readonly keys: readonly Key[];
  /** Whether it can look at one environment alone. */
  readonly byEnvironment: boolean;
}

export const PAGES: readonly Page[] = [
  {
    section: '/',
    path: /^\/$/,
    load: () => import('./ListRoute.svelte'),
    range: ALL,
    keys: LIST_KEYS,
    byEnvironment: true,
  },
  {
    section: '/',
    path: /^\/traces\/([^/]+)\/?$/,
    load: () => import('./TraceRoute.svelte'),
    range: null,
    keys: TRACE_KEYS,
    byEnvironment: false,
  },
  {
    section: '/wall',
    path: /^\/wall\/?$/,
    load: () => import('./WallRoute.svelte'),
    range: null,
    keys: WALL_KEYS,
    byEnvironment: true,
  },
  {
    section: '/wall',
    path: /^\/functions\/([^/]+)\/?$/,
    load: () => import('./FunctionRoute.svelte'),
    range: LAST_HOUR,
    keys: FUNCTION_KEYS,
    byEnvironment: true,
  },
  {
    section: '/map',
    path: /^\/map\/?$/,
    load: () => import('./MapRoute.svelte'),
    range: LAST_HOUR,
    keys: MAP_KEYS,
    byEnvironment: true,
  },
  {
    section: '/map',
    path: /^\/graph\/?$/,
    load: () => import('./GraphRoute.svelte'),
    range: LAST_HOUR,
    keys: GRAPH_KEYS,
    byEnvironment: false,
  },
  {
    section: '/logs',
    path: /^\/logs\/?$/,
    load: () => import('./LogsRoute.svelte'),
    range: LAST_HOUR,
    keys: LOG_KEYS,
    byEnvironment: true,
  },
  {
    section: '/explore',
    path: /^\/explore\/?$/,
    load: () => import('./ExploreRoute.svelte'),
    range: LAST_HOUR,
    keys: EXPLORE_KEYS,
    byEnvironment: true,
  },
  {
    section: '/incidents',
    path: /^\/incidents\/?$/,
    load: () => import('./IncidentsRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/incidents\/([^/]+)\/?$/,
    load: () => import('./IncidentRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/act\/([^/]+)\/?$/,
    load: () => import('./ActRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/audit\/?$/,
    load: () => import('./AuditRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/investigate\/?$/,
    load: () => import('./InvestigateRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/alerts\/?$/,
    load: () => import('./AlertsRoute.svelte'),
    range: null,
    keys: [],
    byEnvironment: false,
  },
  {
    section: '/incidents',
    path: /^\/notifications\/?$/,
    load: () => import('./NotificationsRoute.svelte'),
    range: null,
    keys: [],
    byEnvironment: false,
  },
  {
    section: '/completeness',
    path: /^\/completeness\/?$/,
    load: () => import('./CompletenessRoute.svelte'),
    range: null,
    keys: ROW_KEYS,
    byEnvironment: false,
  },
];

export function pageOf(path: string): Page | null {
  return PAGES.find((page) => page.path.test(path)) ?? null;
}

export function nameIn(page: Page, path: string): string {
  const found = page.path.exec(path)?.[1] ?? '';
  try {
    return decodeURIComponent(found);
  } catch {
    // Not what this page writes into addresses; the server will say that it knows no such thing.
    return found;
  }
}
