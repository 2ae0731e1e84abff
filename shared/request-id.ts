import { BASE62 } from './key-format.ts';

const PAIRS = [...BASE62].flatMap((a) => [...BASE62].map((b) => a + b));
const TIME_DIGITS = 8;
const SALT_PAIRS = 3;
const POOL_BYTES = 4_096;
/** What three pairs can count. */
const COUNTS = PAIRS.length ** 3;

/**
 * Ids of requests: `req_`, the time in milliseconds, 35 bits drawn for that millisecond and a counter, in base62. Since they
 * grow with time, an index on them stays cheap to write. They name a request and give no access to anything.
 * @param now milliseconds since 1970-01-01 UTC
 */
export function createRequestIds(randomBytes: (n: number) => Uint8Array, now: () => number): () => string {
  const pair = pairsFrom(randomBytes);
  let time = -1;
  let prefix = '';
  let count = 0;
  return () => {
    const current = Math.floor(now());
    if (current !== time) {
      time = current;
      prefix = `req_${base62(current, TIME_DIGITS)}`;
      for (let i = 0; i < SALT_PAIRS; i++) prefix += pair();
    }
    count = (count + 1) % COUNTS;
    const high = Math.floor(count / PAIRS.length);
    return prefix + PAIRS[Math.floor(high / PAIRS.length)] + PAIRS[high % PAIRS.length] + PAIRS[count % PAIRS.length];
  };
}

/** Draws pairs of digits, each as likely, from bytes that are fetched ahead. */
function pairsFrom(randomBytes: (n: number) => Uint8Array): () => string {
  let pool = new Uint16Array();
  let at = 0;
  return () => {
    for (;;) {
      if (at >= pool.length) {
        pool = new Uint16Array(new Uint8Array(randomBytes(POOL_BYTES)).buffer);
        at = 0;
      }
      // Twelve bits; what is beyond the table is drawn again.
      const drawn = (pool[at++] as number) & 4095;
      if (drawn < PAIRS.length) return PAIRS[drawn] as string;
    }
  };
}

function base62(value: number, digits: number): string {
  let text = '';
  for (let rest = value, i = 0; i < digits; i++, rest = Math.floor(rest / 62)) text = BASE62.charAt(rest % 62) + text;
  return text;
}
