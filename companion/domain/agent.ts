import type { Agent } from '../../shared/contract/agents.ts';

/** A companion process whose last beat is older has stopped, however it ended: nothing is connected to it. */
export const BEAT_STALE_MS = 5_000;
/** A beat that is further ahead of the clock was given before the clock was set back, and says nothing about now. */
export const BEAT_AHEAD_MS = 1_000;

/** What is known of an agent's connection; undefined for one that never connected. */
export interface Presence {
  /** Whether the process that holds the connection still beats. */
  held: boolean;
}

export function stateOf(presence: Presence | undefined): Agent['state'] {
  if (!presence) return 'never_connected';
  return presence.held ? 'connected' : 'disconnected';
}

// y of the points whose order divides 8 (little-endian hex, the sign bit cleared): with one of them as public key anybody can
// make signatures that pass. Same list as libsodium's ge25519_has_small_order, without its non-canonical members.
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
]);

/**
 * Why 32 bytes must not be used as an Ed25519 public key, or undefined. RFC 8032, 5.1.3: the y coordinate is below 2^255 - 19.
 * Whether they are a point at all shows when a signature is checked.
 */
export function weaknessOfKey(bytes: Uint8Array): string | undefined {
  const y = Uint8Array.from(bytes);
  y[31] = (y[31] as number) & 0x7f;
  const aboveField = y[31] === 0x7f && (y[0] as number) >= 0xed && y.subarray(1, 31).every((byte) => byte === 0xff);
  if (aboveField) return 'is not the canonical form of an Ed25519 key';
  const hex = [...y].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return SMALL_ORDER.has(hex) ? 'is a point of small order: anybody could sign for it' : undefined;
}
