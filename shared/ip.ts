/**
 * IP addresses and CIDR ranges of both families (RFC 4291, RFC 4632). An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is the IPv4
 * address that it stands for; apart from that, an IPv4 rule never matches IPv6 nor the reverse.
 */
export interface Address {
  family: 4 | 6;
  /** The bits, most significant first, 32 in each number: one for IPv4, four for IPv6. */
  words: readonly number[];
}
interface Range extends Address {
  length: number;
  /** Whether the text had a prefix length: `10.0.0.1` and `10.0.0.1/32` mean the same but stay as they were written. */
  written: boolean;
}
type Parsed<T> = { ok: true; value: T } | { ok: false; error: string };

const fail = (error: string): { ok: false; error: string } => ({ ok: false, error });
const notAddress = (text: string, why: string) => fail(`${text} isn’t an IP address. ${why}`);

function parseV4(text: string, whole = text): Parsed<number> {
  const parts = text.split('.');
  if (!/[0-9]/.test(text) || /[^0-9.]/.test(text))
    return notAddress(whole, 'List addresses and ranges, like 203.0.113.7 or 10.0.0.0/8.');
  if (parts.length !== 4 || parts.includes('')) return notAddress(whole, 'It needs four parts, like 203.0.113.7.');
  // Some readers take 010 as octal eight: nobody may be of two minds about what a rule lets in.
  if (parts.some((p) => p.length > 1 && p.startsWith('0')))
    return notAddress(whole, 'Write each part without leading zeros.');
  if (parts.some((p) => p.length > 3 || Number(p) > 255)) return notAddress(whole, 'Each part goes up to 255.');
  return { ok: true, value: parts.reduce((word, p) => word * 256 + Number(p), 0) };
}

/** The 16-bit groups of one side of `::`, the last of which may be written as IPv4. */
function parseGroups(text: string, whole: string, mayEmbed: boolean): Parsed<number[]> {
  if (text === '') return { ok: true, value: [] };
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.') && mayEmbed && i === parts.length - 1) {
      const v4 = parseV4(part, whole);
      if (!v4.ok) return v4;
      groups.push(Math.floor(v4.value / 65_536), v4.value % 65_536);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return notAddress(whole, 'Each part is one to four hexadecimal digits.');
  }
  return { ok: true, value: groups };
}

function parseV6(text: string): Parsed<number[]> {
  const sides = text.split('::');
  if (sides.length > 2) return notAddress(text, ':: can stand only once.');
  const [before = '', after] = sides;
  const left = parseGroups(before, text, after === undefined);
  if (!left.ok) return left;
  const right = parseGroups(after ?? '', text, true);
  if (!right.ok) return right;
  const missing = 8 - left.value.length - right.value.length;
  if (after === undefined ? missing !== 0 : missing < 1)
    return notAddress(text, after === undefined ? 'It needs eight parts, or ::.' : 'It has too many parts.');
  const groups = [...left.value, ...Array<number>(missing).fill(0), ...right.value];
  return { ok: true, value: [0, 2, 4, 6].map((i) => (groups[i] as number) * 65_536 + (groups[i + 1] as number)) };
}

const isMapped = (words: readonly number[]) => words[0] === 0 && words[1] === 0 && words[2] === 0xffff;

function parseStrict(text: string): Parsed<Address> {
  if (text.includes('%')) return fail(`${text} has a zone id. Leave out everything from the % on.`);
  if (/^\[.*\](:\d*)?$/.test(text) || /^[^:]*\.[^:]*:\d*$/.test(text))
    return fail(`${text} has ${/\]$/.test(text) ? 'brackets' : 'a port'}. List the address alone.`);
  if (!text.includes(':')) {
    const v4 = parseV4(text);
    return v4.ok ? { ok: true, value: { family: 4, words: [v4.value] } } : v4;
  }
  const v6 = parseV6(text);
  return v6.ok ? { ok: true, value: { family: 6, words: v6.value } } : v6;
}

const unmapped = (address: Address): Address =>
  address.family === 6 && isMapped(address.words) ? { family: 4, words: address.words.slice(3) } : address;

/** The number of a plain dotted quad, or -1: what nearly every address is, read in one pass. */
function plainV4(text: string): number {
  let [word, part, digits, dots] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0) return -1;
      word = word * 256 + part;
      [part, digits] = [0, 0];
      dots++;
    } else if (code >= 0x30 && code <= 0x39) {
      // A second digit after a zero is a leading zero.
      if (digits > 0 && part === 0) return -1;
      part = part * 10 + code - 0x30;
      digits++;
      if (part > 255) return -1;
    } else return -1;
  }
  return dots === 3 && digits > 0 ? word * 256 + part : -1;
}

/** An address, or undefined when the text is none: no zone id, no port, no leading zeros. */
export function parseAddress(text: string): Address | undefined {
  const plain = plainV4(text);
  if (plain >= 0) return { family: 4, words: [plain] };
  const parsed = parseStrict(text);
  return parsed.ok ? unmapped(parsed.value) : undefined;
}

/** The one text of an address: IPv6 as RFC 5952 recommends. */
export function formatAddress({ family, words }: Address): string {
  const bytes = (word: number) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
  if (family === 4) return bytes(words[0] as number).join('.');
  const groups = words.flatMap((w) => [w >>> 16, w & 0xffff]).map((g) => g.toString(16));
  let [start, longest] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > longest) [start, longest] = [i, end - i];
  }
  if (longest < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`;
}

/** The bits of word `i` that a prefix of `length` bits fixes. */
const mask = (length: number, i: number) => {
  const bits = Math.min(Math.max(length - 32 * i, 0), 32);
  return bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
};

const format = ({ length, written, ...address }: Range) => formatAddress(address) + (written ? `/${length}` : '');

function parseRange(text: string): Parsed<Range> {
  const slash = text.indexOf('/');
  const parsed = parseStrict(slash < 0 ? text : text.slice(0, slash));
  if (!parsed.ok) return parsed;
  const { family, words } = parsed.value;
  const most = family === 4 ? 32 : 128;
  const digits = slash < 0 ? String(most) : text.slice(slash + 1);
  if (!/^[0-9]+$/.test(digits)) return fail(`${text} isn’t a range. A number from 0 to ${most} follows the slash.`);
  if (/^0[0-9]/.test(digits))
    return fail(`${text} isn’t a range. Write the number after the slash without leading zeros.`);
  const length = Number(digits);
  if (length > most) return fail(`an IPv${family} range ends at /${most}, so /${length} can’t work.`);
  const network = words.map((word, i) => (word & mask(length, i)) >>> 0);
  const range: Range = { family, words: network, length, written: slash >= 0 };
  if (network.some((word, i) => word !== words[i]))
    return fail(`${text} has bits set after the first ${length}. Did you mean ${format(range)}?`);
  if (family === 6 && length >= 96 && isMapped(words))
    return { ok: true, value: { ...range, family: 4, words: words.slice(3), length: length - 96 } };
  return { ok: true, value: range };
}

/** One line of an allowlist: an address or a range, as its one text, or what is wrong with it in words for the person. */
export function parseAllowlistEntry(text: string): { ok: true; canonical: string } | { ok: false; error: string } {
  const trimmed = text.trim();
  if (trimmed === '') return fail('This line is empty.');
  const parsed = parseRange(trimmed);
  return parsed.ok ? { ok: true, canonical: format(parsed.value) } : parsed;
}

/** A whole allowlist, each entry once; one error for every bad line, counted from 0, whose message counts from 1. */
export function parseAllowlist(lines: readonly string[]): {
  canonical: string[];
  errors: { index: number; message: string }[];
} {
  const canonical = new Set<string>();
  const errors: { index: number; message: string }[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = parseAllowlistEntry(line);
    if (entry.ok) canonical.add(entry.canonical);
    else errors.push({ index, message: `Line ${index + 1}: ${entry.error}` });
  }
  return { canonical: [...canonical], errors };
}

const LINK = /(?<=^fe[89ab][0-9a-f]:[0-9a-f:]*)%[^%]+$/i;

/**
 * A test of addresses against an allowlist; an empty list lets every address through, what is no address never matches.
 * @param entries as `parseAllowlistEntry` gave them
 * @throws Error on an entry that is neither address nor range: a rule that can't be read must not be skipped
 */
export function compileAllowlist(entries: readonly string[]): (address: string) => boolean {
  const ranges = entries.map((entry) => {
    const parsed = parseRange(entry);
    if (!parsed.ok) throw new Error(parsed.error);
    return { ...parsed.value, masks: parsed.value.words.map((_, i) => mask(parsed.value.length, i)) };
  });
  if (ranges.length === 0) return () => true;
  return (text) => {
    // A socket on a link-local address names the interface, too (RFC 4007, 11); a rule has no place for that.
    const address = parseAddress(text.includes('%') ? text.replace(LINK, '') : text);
    if (!address) return false;
    return ranges.some(
      ({ family, words, masks }) =>
        family === address.family &&
        words.every((word, i) => (((address.words[i] as number) ^ word) & (masks[i] as number)) === 0),
    );
  };
}
