import { type ReadonlySignal, signal } from '@preact/signals';

const time = signal(Date.now());
/** The time, milliseconds since 1970, renewed every second while the page shows: for "2 min ago" and countdowns. */
export const now: ReadonlySignal<number> = time;

/** Starts the clock; the answer stops it. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') time.value = Date.now();
  }, 1000);
  return () => clearInterval(timer);
}
