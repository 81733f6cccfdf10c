import { now, type UnixNanos } from './time';

/** The time as the page shows it, a second apart. Made and ended with a component. */
export class Clock {
  #now = $state.raw(now());

  constructor() {
    $effect(() => {
      const timer = setInterval(() => (this.#now = now()), TICK_MILLIS);
      return () => clearInterval(timer);
    });
  }

  get now(): UnixNanos {
    return this.#now;
  }
}

const TICK_MILLIS = 1_000;
