const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PAIRS = [...ALPHABET].flatMap((a) => [...ALPHABET].map((b) => a + b));
const TIME_DIGITS = 8;
const RANDOM_PAIRS = 6;
const POOL_BYTES = 8_192;

/**
 * Ids of requests: `req_`, the time in milliseconds and 71 random bits, in base62. Since they grow with time, an index on
 * them stays cheap to write; since randomness is drawn ahead, an id costs a fraction of a microsecond.
 * @param now milliseconds since 1970-01-01 UTC
 */
export function createRequestIds(randomBytes: (n: number) => Uint8Array, now: () => number): () => string {
  let pool = new Uint16Array();
  let at = 0;
  let time = -1;
  let prefix = '';
  const pair = (): string => {
    for (;;) {
      if (at >= pool.length) {
        const bytes = new Uint8Array(randomBytes(POOL_BYTES));
        pool = new Uint16Array(bytes.buffer, bytes.byteOffset, POOL_BYTES / 2);
        at = 0;
      }
      // Twelve bits; what is beyond the table is drawn again, so that every pair is as likely.
      const drawn = (pool[at++] as number) & 4095;
      if (drawn < PAIRS.length) return PAIRS[drawn] as string;
    }
  };
  return () => {
    const current = Math.floor(now());
    if (current !== time) {
      time = current;
      prefix = `req_${base62(current, TIME_DIGITS)}`;
    }
    let id = prefix;
    for (let i = 0; i < RANDOM_PAIRS; i++) id += pair();
    return id;
  };
}

function base62(value: number, digits: number): string {
  let text = '';
  for (let rest = value, i = 0; i < digits; i++, rest = Math.floor(rest / 62)) text = ALPHABET.charAt(rest % 62) + text;
  return text;
}
