/**
 * The text form of every secret that Heex Keys issues: `<kind>_<random><checksum>`.
 * The checksum lets a typing error or a cut-off copy be told from a guess without any look-up, as GitHub's tokens do:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export const ENVIRONMENTS = ['production', 'staging', 'development'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The digits of base62, in the order of ASCII. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 40;
const CHECKSUM_LENGTH = 6;
const SHOWN_LENGTH = 8;
/** No key or token is longer than this many characters: whatever is was never one. */
export const LONGEST_SECRET = 64;

const SHORT: Record<Environment, string> = { production: 'prod', staging: 'stag', development: 'dev' };
const LONG = new Map(Object.entries(SHORT).map(([long, short]) => [short, long as Environment]));

const BODY = `([0-9A-Za-z]{${RANDOM_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})`;
const KEY = new RegExp(`^heex_(prod|stag|dev)_${BODY}$`);
const ANY_SECRET = /\b(heex[a-z]?_(?:(?:prod|stag|dev)_)?[0-9A-Za-z]{8})[0-9A-Za-z]{8,}/g;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

/** CRC-32 (ISO 3309) of ASCII text, as an unsigned number. */
function crc32(text: string): number {
  let c = 0xffffffff;
  for (let i = 0; i < text.length; i++) c = (CRC_TABLE[(c ^ text.charCodeAt(i)) & 0xff] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** The six base62 digits of the CRC-32 of `random`, zero-padded on the left. */
export function checksum(random: string): string {
  let rest = crc32(random);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/**
 * `length` base62 characters without bias: bytes of 248 and above are drawn again.
 * @param randomBytes a cryptographically secure source
 */
export function randomBase62(randomBytes: (n: number) => Uint8Array, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}

/** A new API key for an environment: 40 random characters (238 bits) and their checksum. */
export function makeKey(environment: Environment, randomBytes: (n: number) => Uint8Array): string {
  const random = randomBase62(randomBytes, RANDOM_LENGTH);
  return `${prefixStart(environment)}${random}${checksum(random)}`;
}

/** What every key of an environment begins with. */
export function prefixStart(environment: Environment): string {
  return `heex_${SHORT[environment]}_`;
}

/** The kinds of credential that are not API keys; the letter keeps one from ever being taken for another. */
export const TOKEN_KINDS = { session: 'heexs', verifier: 'heexv', scim: 'heexm' } as const;
export type TokenKind = keyof typeof TOKEN_KINDS;

/** A new session, verifier or SCIM token, of the same strength and with the same checksum as a key. */
export function makeToken(kind: TokenKind, randomBytes: (n: number) => Uint8Array): string {
  const random = randomBase62(randomBytes, RANDOM_LENGTH);
  return `${TOKEN_KINDS[kind]}_${random}${checksum(random)}`;
}

/** The token of a link that works once, such as an invitation's: 40 random characters (238 bits), of no kind and without a checksum. */
export const makeLinkToken = (randomBytes: (n: number) => Uint8Array): string =>
  randomBase62(randomBytes, RANDOM_LENGTH);

/** What an API key says of itself, or undefined when its shape or checksum is wrong. */
export function parseKey(text: string): { environment: Environment; prefix: string } | undefined {
  const match = KEY.exec(text);
  if (!match?.[1] || !match[2] || checksum(match[2]) !== match[3]) return undefined;
  const environment = LONG.get(match[1]);
  return environment && { environment, prefix: `heex_${match[1]}_${match[2].slice(0, SHOWN_LENGTH)}` };
}

const TOKENS = Object.fromEntries(
  Object.entries(TOKEN_KINDS).map(([kind, letters]) => [kind, new RegExp(`^${letters}_${BODY}$`)]),
) as Record<TokenKind, RegExp>;

/** Whether the text is a well-formed token of that kind. */
export function isToken(kind: TokenKind, text: string): boolean {
  const match = TOKENS[kind].exec(text);
  return Boolean(match?.[1] && checksum(match[1]) === match[2]);
}

/** The part of a key or token that may be shown: everything up to the first eight random characters. */
export function prefixOf(secret: string): string {
  return secret.slice(0, secret.lastIndexOf('_') + 1 + SHOWN_LENGTH);
}

/** The text with every key and token in it cut to its prefix: for logs and error reports. */
export function redact(text: string): string {
  return text.replace(ANY_SECRET, '$1…');
}
