import type { Result } from './result';

/**
 * Something asked of the server. While a newer answer is awaited, and when it
 * fails, what was last known is kept, so that the page can go on showing it.
 */
export type Remote<T, E> =
  | { readonly state: 'idle' }
  | { readonly state: 'loading'; readonly kept: T | null }
  | { readonly state: 'failed'; readonly error: E; readonly kept: T | null }
  | { readonly state: 'ready'; readonly value: T };

export function keptOf<T, E>(remote: Remote<T, E>): T | null {
  switch (remote.state) {
    case 'idle':
      return null;
    case 'loading':
    case 'failed':
      return remote.kept;
    case 'ready':
      return remote.value;
  }
}

export function errorOf<T, E>(remote: Remote<T, E>): E | null {
  return remote.state === 'failed' ? remote.error : null;
}

/** A repeated question does not make a shown answer flicker back to loading. */
export function asking<T, E>(remote: Remote<T, E>): Remote<T, E> {
  if (remote.state === 'ready' || remote.state === 'failed') return remote;
  return { state: 'loading', kept: keptOf(remote) };
}

export function answered<T, E>(remote: Remote<T, E>, answer: Result<T, E>): Remote<T, E> {
  if (answer.ok) return { state: 'ready', value: answer.value };
  return { state: 'failed', error: answer.error, kept: keptOf(remote) };
}
