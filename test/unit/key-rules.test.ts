import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideMove, type Move, twoSecretsLive } from '../../companion/domain/lifecycle.ts';
import { beyondGroup, effectivePermissions } from '../../companion/domain/permissions.ts';
import { capacityProblem, clampExpiry, expiryError } from '../../companion/domain/policy.ts';
import { countsTowardLimit, type KeyState, statusOf } from '../../companion/domain/status.ts';
import { expirationOf } from '../../shared/expiry.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21);
const fresh: KeyState = {
  expiresAt: null,
  disabledAt: null,
  revokedAt: null,
  revokedReason: null,
  oldSecretEndsAt: null,
};

const time = fc.integer({ min: NOW - 30 * DAY, max: NOW + 60 * DAY });
const state: fc.Arbitrary<KeyState> = fc
  .record({
    expiresAt: fc.option(time),
    disabledAt: fc.option(time),
    revokedAt: fc.option(time),
    oldSecretEndsAt: fc.option(time),
  })
  .map((given) => ({ ...given, revokedReason: given.revokedAt === null ? null : 'by_owner' }));
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom<Move>({ kind: 'edit' }, { kind: 'disable' }, { kind: 'enable' }, { kind: 'finish' }),
  fc.constantFrom<Move>({ kind: 'revoke', reason: 'leaked' }, { kind: 'revoke', reason: 'by_admin' }),
  fc.record({
    kind: fc.constant('rotate' as const),
    overlapMs: fc.constantFrom(0, 3_600_000, DAY, 7 * DAY),
    expiresAt: fc.option(fc.option(time), { nil: undefined }),
  }),
);

describe('whatever is done to a key', () => {
  test('revoked stays revoked, with its first time and reason', () => {
    fc.assert(
      fc.property(state, move, time, (before, m, now) => {
        fc.pre(before.revokedAt !== null);
        const decision = decideMove(before, m, now);
        if (m.kind === 'revoke') expect(decision).toEqual({ legal: true, next: before, changed: false });
        else expect(decision).toEqual({ legal: false, why: expect.stringContaining('revoked') });
      }),
    );
  });

  test('a refusal gives a reason, and a move changes only what it is about', () => {
    const touches: Record<Move['kind'], (keyof KeyState)[]> = {
      edit: [],
      disable: ['disabledAt'],
      enable: ['disabledAt'],
      revoke: ['revokedAt', 'revokedReason'],
      rotate: ['expiresAt', 'oldSecretEndsAt'],
      finish: ['oldSecretEndsAt'],
    };
    fc.assert(
      fc.property(state, move, time, (before, m, now) => {
        const decision = decideMove(before, m, now);
        if (!decision.legal) {
          expect(decision.why).toMatch(/^[A-Z].*\.$/);
          return;
        }
        for (const field of Object.keys(before) as (keyof KeyState)[])
          if (!touches[m.kind].includes(field)) expect(decision.next[field]).toBe(before[field]);
      }),
    );
  });

  test('at most two secrets live, and an old one never past the expiry that it was issued with', () => {
    fc.assert(
      fc.property(state, move, time, (before, m, now) => {
        const decision = decideMove(before, m, now);
        if (m.kind !== 'rotate' || !decision.legal) return;
        expect(twoSecretsLive(before, now)).toBe(false);
        const endsAt = decision.next.oldSecretEndsAt as number;
        expect(endsAt).toBeLessThanOrEqual(now + m.overlapMs);
        for (const expiry of [before.expiresAt, decision.next.expiresAt])
          if (expiry !== null) expect(endsAt).toBeLessThanOrEqual(expiry);
        if (decision.next.expiresAt !== null) expect(decision.next.expiresAt).toBeGreaterThan(now);
      }),
    );
  });
});

describe('the status of a key', () => {
  test('is revoked before disabled before expired before expiring soon', () => {
    const [past, soon, later] = [NOW, NOW + 14 * DAY, NOW + 14 * DAY + 1];
    const of = (changes: Partial<KeyState>) => statusOf({ ...fresh, ...changes }, NOW);
    expect(of({})).toBe('active');
    expect(of({ expiresAt: later })).toBe('active');
    expect(of({ expiresAt: soon })).toBe('expiring_soon');
    expect(of({ expiresAt: NOW + 1 })).toBe('expiring_soon');
    expect(of({ expiresAt: past })).toBe('expired');
    expect(of({ expiresAt: past, disabledAt: 1 })).toBe('disabled');
    expect(of({ expiresAt: past, disabledAt: 1, revokedAt: 1 })).toBe('revoked');
  });

  test('fits its expiration, and a key that is shown as working counts toward the limit', () => {
    fc.assert(
      fc.property(state, time, (given, now) => {
        const status = statusOf(given, now);
        const expiration = expirationOf(given.expiresAt, now);
        if (status === 'active') expect(expiration).toBe('valid');
        if (status === 'expiring_soon' || status === 'expired') expect(expiration).toBe(status);
        expect(countsTowardLimit(given, now)).toBe(status !== 'revoked' && expiration !== 'expired');
      }),
    );
  });
});

describe('an expiry', () => {
  test('has to be in the future and within the longest lifetime', () => {
    expect(expiryError(null, null, NOW)).toBeUndefined();
    expect(expiryError(NOW, null, NOW)).toBe('must be in the future');
    expect(expiryError(NOW + 1, null, NOW)).toBeUndefined();
    expect(expiryError(null, 90, NOW)).toBe('is required: a key of this workspace lives at most 90 days');
    expect(expiryError(NOW + 90 * DAY, 90, NOW)).toBeUndefined();
    expect(expiryError(NOW + 90 * DAY + 1, 90, NOW)).toMatch(/^must be within 90 days/);
  });
  test('of a client whose clock is up to a minute ahead becomes the longest lifetime, and never more', () => {
    const most = NOW + 90 * DAY;
    expect([most - 1, most, most + 1, most + 60_000].map((at) => clampExpiry(at, 90, NOW))).toEqual([
      most - 1,
      most,
      most,
      most,
    ]);
    expect(expiryError(clampExpiry(most + 60_001, 90, NOW), 90, NOW)).toMatch(/^must be within 90 days/);
    for (const kept of [null, undefined]) expect(clampExpiry(kept, 90, NOW)).toBe(kept);
    expect(clampExpiry(most + 1, null, NOW)).toBe(most + 1);
  });
});

describe('permissions', () => {
  const permissions = fc.uniqueArray(fc.constantFrom<string>('a:read', 'a:write', 'b:read', 'b:write', 'c:x'));
  test('of a key are never more than its group holds, nor than it was narrowed to', () => {
    fc.assert(
      fc.property(permissions, fc.option(permissions), (group, narrowing) => {
        const effective = effectivePermissions(group, narrowing);
        for (const permission of ['a:read', 'a:write', 'b:read', 'b:write', 'c:x'])
          expect(effective.includes(permission)).toBe(
            group.includes(permission) && (narrowing === null || narrowing.includes(permission)),
          );
        expect(effectivePermissions(null, narrowing)).toEqual([]);
        expect(beyondGroup(group, narrowing ?? []).map((i) => narrowing?.[i])).toEqual(
          (narrowing ?? []).filter((p) => !group.includes(p)),
        );
      }),
    );
  });
});

test('a plan without API access is told before a full workspace', () => {
  expect(capacityProblem({ plan: 'starter', keyLimit: 0 }, 5)).toBe('upgrade_required');
  expect(capacityProblem({ plan: 'team', keyLimit: 10 }, 10)).toBe('key_limit_reached');
  expect(capacityProblem({ plan: 'team', keyLimit: 10 }, 9)).toBeUndefined();
});
