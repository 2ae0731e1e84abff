import { type Address, compileAllowlist, formatAddress, parseAddress, parseAllowlist } from '../../shared/ip.ts';
import { Refusal } from './refusal.ts';

/** Whom to believe about where a request came from. */
export type TrustedProxies =
  | { kind: 'none' }
  /** So many proxies stand in front, whatever their addresses. */
  | { kind: 'hops'; hops: number }
  | { kind: 'ranges'; includes(address: string): boolean };

const MOST_HOPS = 10;

/**
 * Reads the setting: a number of hops, or addresses and CIDR ranges separated by commas or spaces.
 * @returns what is wrong, in words for the operator, where it can't be read
 */
export function parseTrustedProxies(text: string): TrustedProxies | { kind: 'wrong'; why: string } {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const [first] = entries;
  if (first === undefined) return { kind: 'none' };
  if (entries.length === 1 && /^\d+$/.test(first)) {
    const hops = Number(first);
    if (hops > MOST_HOPS) return { kind: 'wrong', why: `a number of hops goes up to ${MOST_HOPS}` };
    return hops === 0 ? { kind: 'none' } : { kind: 'hops', hops };
  }
  const { canonical, errors } = parseAllowlist(entries);
  if (errors[0]) return { kind: 'wrong', why: errors[0].message.replace(/^Line \d+: /, '') };
  return { kind: 'ranges', includes: remembering(compileAllowlist(canonical)) };
}

const MOST_REMEMBERED = 1_000;

/** The same test, which asks about the few addresses of proxies over and over. */
function remembering(includes: (address: string) => boolean): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    let is = known.get(address);
    if (is === undefined) {
      is = includes(address);
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(address, is);
    }
    return is;
  };
}

function readEntry(text: string): string {
  const address: Address | undefined = parseAddress(text.trim());
  if (!address)
    throw new Refusal('bad_request', 'X-Forwarded-For: has an entry that is not an address', [
      { path: 'X-Forwarded-For', message: 'has an entry that is not an address' },
    ]);
  return formatAddress(address);
}

/**
 * Where a request came from: the peer, unless that is a trusted proxy; then the entry of `X-Forwarded-For` that the outermost
 * trusted proxy wrote, counted from the right. What stands further left is the client's own claim. `Forwarded` and `X-Real-IP`
 * are ignored. Where there are fewer entries than hops, it is the peer.
 * @param peer the address of the socket
 * @param forwarded the values of all `X-Forwarded-For` lines, joined by commas in their order
 * @throws Refusal bad_request where the entry that counts, or one right of it by addresses, is not an address
 */
export function clientAddress(
  peer: string | null,
  forwarded: string | undefined,
  trust: TrustedProxies,
): string | null {
  if (trust.kind === 'none' || peer === null || forwarded === undefined) return peer;
  if (trust.kind === 'ranges' && !trust.includes(peer)) return peer;
  const entries = forwarded.split(',');
  if (trust.kind === 'hops') {
    const entry = entries.at(-trust.hops);
    // Fewer entries than proxies: one of them was passed by, and the leftmost may be the client's claim.
    return entry === undefined ? peer : readEntry(entry);
  }
  // Read no further than the one that counts: what a client claims must not refuse its request either.
  let address = peer;
  for (const entry of entries.reverse()) {
    address = readEntry(entry);
    if (!trust.includes(address)) break;
  }
  return address;
}
