/**
 * The smallest router that this page needs: real links, the back button, and
 * a note in each history entry of where the list was left.
 */
export class Router {
  #path = $state(location.pathname);
  #search = $state(location.search);

  get path(): string {
    return this.#path;
  }

  get search(): string {
    return this.#search;
  }

  /** The environment that is looked at, which goes along wherever one goes; empty for all. */
  get environment(): string {
    return new URLSearchParams(this.#search).get(ENVIRONMENT) ?? '';
  }

  /** The same page in another environment. */
  choose(environment: string): void {
    const params = new URLSearchParams(this.#search);
    if (environment === '') params.delete(ENVIRONMENT);
    else params.set(ENVIRONMENT, environment);
    history.replaceState(this.kept, '', hrefOf(this.#path, params));
    this.#read();
  }

  /** What was kept in the current history entry. */
  get kept(): Kept {
    return (history.state ?? {}) as Kept;
  }

  /** The page that the reader came to a trace from, as they left it. */
  get listHref(): string {
    return this.kept.list ?? LIST;
  }

  /** Takes over links and the back button; returns how to let go. */
  start(): () => void {
    const onpop = (): void => this.#read();
    const onclick = (event: MouseEvent): void => this.#follow(event);
    addEventListener('popstate', onpop);
    document.addEventListener('click', onclick);
    return () => {
      removeEventListener('popstate', onpop);
      document.removeEventListener('click', onclick);
    };
  }

  go(href: string): void {
    const { list, depth } = this.kept;
    const next: Kept = !this.#inTrace
      ? { list: this.#path + this.#search, depth: 1 }
      : {
          ...(list === undefined ? {} : { list }),
          ...(depth === undefined ? {} : { depth: depth + 1 }),
        };
    history.pushState(next, '', this.#along(href));
    this.#read();
  }

  /** Changes the address without a new history entry. */
  replace(href: string): void {
    history.replaceState(this.kept, '', this.#along(href));
    this.#read();
  }

  /** Leaves a note in the current entry, for when the reader comes back to it. */
  keep(place: unknown): void {
    history.replaceState({ ...this.kept, place }, '');
  }

  /** To that page: back in the history when it is there, so that its place is found again. */
  back(): void {
    const { depth } = this.kept;
    if (depth !== undefined) history.go(-depth);
    else this.go(this.listHref);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download'))
      return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    const href = link.pathname + link.search;
    if (this.#inTrace && href === this.listHref) this.back();
    else this.go(href);
  }

  /** The address with the environment in it, unless it names one itself. */
  #along(href: string): string {
    const { pathname, searchParams } = new URL(href, location.origin);
    if (this.environment !== '' && !searchParams.has(ENVIRONMENT))
      searchParams.set(ENVIRONMENT, this.environment);
    return hrefOf(pathname, searchParams);
  }

  get #inTrace(): boolean {
    return this.#path.startsWith('/traces/');
  }

  #read(): void {
    this.#path = location.pathname;
    this.#search = location.search;
  }
}

interface Kept {
  /** The address of the page that the reader came from. */
  readonly list?: string;
  /** How many entries above that page this one is. */
  readonly depth?: number;
  readonly place?: unknown;
}

const LIST = '/';
const ENVIRONMENT = 'env';

function hrefOf(path: string, params: URLSearchParams): string {
  return `${path}${params.size === 0 ? '' : `?${params}`}`;
}
