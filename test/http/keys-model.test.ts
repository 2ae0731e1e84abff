import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OVERLAPS } from '../../shared/contract/keys.ts';
import { type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let [ada, admin, verifier] = [] as unknown as [Person, Person, string];
beforeAll(async () => {
  s = await scenario({ HEEX_KEY_LIMIT: '100000' });
  [ada, admin, verifier] = [await s.member('Ada'), await s.member('Anna', 'admin'), await s.verifier()];
});
afterAll(() => s.end());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = () => s.companion.deps.now();
const at = (ms: number) => new Date(ms).toISOString();

const post = (person: Person, id: string, what: string, body?: unknown) =>
  s.as(person, 'POST', `W/keys/${id}/${what}`, body);
const read = async (id: string) => (await s.as(ada, 'GET', `W/keys/${id}`)).body;
const codeOf = async (secret: string): Promise<string> =>
  (await s.as(undefined, 'POST', '/v1/verify', { key: secret }, { token: verifier })).body.code;

/** What a key should be like, kept by other means than the companion's own. */
interface Model {
  revoked: string | undefined;
  disabled: boolean;
  expiresAt: number | null;
  current: string;
  old: { secret: string; endsAt: number } | undefined;
}
interface Real {
  id: string;
}
const expired = (m: Model) => m.expiresAt !== null && m.expiresAt <= now();
const overlapping = (m: Model) => m.old !== undefined && m.old.endsAt > now();

async function agrees(m: Model, { id }: Real): Promise<void> {
  const blocked = m.revoked ? 'revoked' : m.disabled ? 'disabled' : expired(m) ? 'expired' : undefined;
  const soon = m.expiresAt !== null && m.expiresAt <= now() + 14 * DAY ? 'expiring_soon' : 'active';
  const key = await read(id);
  expect(key).toMatchObject({ status: blocked ?? soon, revokedReason: m.revoked ?? null });
  expect(key.expiresAt).toBe(m.expiresAt === null ? null : at(m.expiresAt));
  expect(await codeOf(m.current)).toBe(blocked ?? 'valid');
  if (m.old) expect(await codeOf(m.old.secret)).toBe(overlapping(m) ? (blocked ?? 'valid') : 'revoked');
}

/** A command that is legal in some states: elsewhere the companion has to answer 409 and change nothing. */
function command(
  name: string,
  legal: (m: Model) => boolean,
  send: (real: Real) => ReturnType<Scenario['as']>,
  apply: (m: Model, body: { key: { rotation: unknown }; secret: string }) => void,
): fc.AsyncCommand<Model, Real> {
  return {
    check: () => true,
    async run(m, real) {
      const may = legal(m);
      const answer = await send(real);
      expect(answer.status, `${name}: ${JSON.stringify(answer.body)}`).toBe(may ? 200 : 409);
      if (may) apply(m, answer.body);
      await agrees(m, real);
    },
    toString: () => name,
  };
}

const revoking = fc.tuple(fc.boolean(), fc.constantFrom(undefined, 'leaked', 'superseded')).map(([asAdmin, reason]) =>
  command(
    `revoke ${reason}`,
    () => true,
    ({ id }) => post(asAdmin ? admin : ada, id, 'revoke', { reason }),
    (m) => {
      m.revoked ??= reason ?? (asAdmin ? 'by_admin' : 'by_owner');
    },
  ),
);

const commands = [
  fc.constantFrom(10 * 60_000, 40 * 60_000, 10 * HOUR, 3 * DAY, 16 * DAY).map(
    (ms): fc.AsyncCommand<Model, Real> => ({
      check: () => true,
      async run(m, real) {
        await s.pass(ms);
        await agrees(m, real);
      },
      toString: () => `pass ${ms / HOUR} h`,
    }),
  ),
  fc.boolean().map((asAdmin) =>
    command(
      'disable',
      (m) => !m.revoked && !m.disabled,
      ({ id }) => post(asAdmin ? admin : ada, id, 'disable'),
      (m) => {
        m.disabled = true;
      },
    ),
  ),
  fc.constant(
    command(
      'enable',
      (m) => !m.revoked && m.disabled,
      ({ id }) => post(ada, id, 'enable'),
      (m) => {
        m.disabled = false;
      },
    ),
  ),
  fc
    .tuple(fc.constantFrom(...OVERLAPS), fc.constantFrom(undefined, null, 2 * HOUR, 5 * DAY, 40 * DAY))
    .map(([overlapSeconds, lives]) => {
      // The time at which it is sent decides.
      let expiresAt: number | null | undefined;
      return command(
        `rotate ${overlapSeconds} s, expiry ${lives}`,
        (m) => !m.revoked && !overlapping(m) && (lives !== undefined || !expired(m)),
        ({ id }) => {
          expiresAt = typeof lives === 'number' ? now() + lives : lives;
          const given = typeof expiresAt === 'number' ? at(expiresAt) : expiresAt;
          return post(ada, id, 'rotate', { overlapSeconds, expiresAt: given });
        },
        (m, { secret, key }) => {
          const shown = key.rotation as { oldExpiresAt: string } | null;
          const cap = Math.min(now() + overlapSeconds * 1000, m.expiresAt ?? Infinity, expiresAt ?? Infinity);
          // To the millisecond only the companion knows when it rotated.
          const endsAt = shown ? Date.parse(shown.oldExpiresAt) : cap;
          expect(Math.abs(endsAt - cap)).toBeLessThan(10_000);
          m.old = { secret: m.current, endsAt };
          m.current = secret;
          if (expiresAt !== undefined) m.expiresAt = expiresAt;
        },
      );
    }),
  fc.constant(
    command(
      'finish',
      (m) => !m.revoked && overlapping(m),
      ({ id }) => post(ada, id, 'rotate/finish'),
      (m) => {
        if (m.old) m.old.endsAt = 0;
      },
    ),
  ),
  fc.constant(
    command(
      'edit',
      (m) => !m.revoked,
      async ({ id }) => s.as(ada, 'PATCH', `W/keys/${id}`, { description: `seen at ${now()}` }),
      () => {},
    ),
  ),
];

/** Rarely revoked, since that ends what can be seen. */
const sequences = fc.commands([...commands, ...commands, ...commands, revoking], { maxCommands: 30 });

/** Brings a new key into the state in which the commands begin. */
async function begin(start: (typeof STARTS)[number], m: Model, { id }: Real): Promise<void> {
  if (start === 'disabled') {
    await post(ada, id, 'disable');
    m.disabled = true;
  }
  if (start === 'rotating') {
    const { body } = await post(ada, id, 'rotate', { overlapSeconds: OVERLAPS[3] });
    m.old = { secret: m.current, endsAt: Date.parse(body.key.rotation.oldExpiresAt) };
    m.current = body.secret;
  }
  if (start === 'expired') await s.pass(21 * DAY);
}
const STARTS = ['fresh', 'disabled', 'rotating', 'expired'] as const;

test('whatever is done to a key in whatever order, it is what the rules say and both secrets answer so', async () => {
  await fc.assert(
    fc.asyncProperty(sequences, fc.constantFrom(...STARTS), fc.boolean(), async (sequence, start, forever) => {
      const expiresAt = forever ? null : now() + 20 * DAY;
      const key = await s.key(ada, { expiresAt: expiresAt === null ? null : at(expiresAt) });
      const model: Model = { revoked: undefined, disabled: false, expiresAt, current: key.secret, old: undefined };
      const real = { id: key.id };
      await begin(start, model, real);
      await fc.asyncModelRun(() => ({ model, real }), sequence);
    }),
    { numRuns: 200 },
  );
});
