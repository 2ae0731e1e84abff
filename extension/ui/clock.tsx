import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { exact, ms, type Time } from './format.ts';

/** The present, in milliseconds: what every rough time on the page is reckoned from. */
export const now = signal(Date.now());

const STEP = 15_000;

/** Keeps `now` going while the page is open; `step` is in milliseconds. */
export function useClock(step = STEP): void {
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, step);
    return () => clearInterval(timer);
  }, [step]);
}

/** A time in rough words, with the exact one on hover. */
export function When({ at, words }: { at: Time; words: (at: Time, now: number) => string }) {
  return (
    <time dateTime={new Date(ms(at)).toISOString()} title={exact(at)}>
      {words(at, now.value)}
    </time>
  );
}
