import { now } from '../state/clock.ts';
import { exact, ms, type Time } from './format.ts';

/** A time in rough words, with the exact one on hover. */
export function When({ at, words }: { at: Time; words: (at: Time, now: number) => string }) {
  return (
    <time dateTime={new Date(ms(at)).toISOString()} title={exact(at)}>
      {words(at, now.value)}
    </time>
  );
}
