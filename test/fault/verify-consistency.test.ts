import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Arena, WAYS, Watched, type Way } from '../support/arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.end());

let made = 0;
async function newKey(
  which: number,
  more: Record<string, unknown> = {},
  token?: string,
): Promise<{ id: string; secret: string }> {
  const body = { name: `key ${++made}`, environment: 'production', ...more };
  const { key, secret } = await arena.as(which, 'POST', '/keys', body, token);
  return { id: key.id, secret };
}
const newGroup = async () =>
  (await arena.as(0, 'POST', '/groups', { name: `group ${++made}`, permissions: ['a:b'] })).id as string;

const look = (watched: Watched, way: Way, which: number) =>
  watched.look(`${way} at ${which}`, (key) => arena.isGood(way, which, key));

/** Asks about a key over and over, in every way at both companions, while something else changes it. */
async function during(watched: Watched, changes: () => Promise<void>): Promise<void> {
  let over = false;
  const asking = [0, 1].map(async (which) => {
    for (let i = 0; !over; i++) await look(watched, WAYS[i % WAYS.length] as Way, which);
  });
  try {
    await changes();
  } finally {
    over = true;
    await Promise.all(asking);
  }
}

/** Makes a change and then asks in every way at both companions at once. */
async function changeAndLook(
  watched: Watched,
  what: string,
  good: boolean,
  work: () => Promise<unknown>,
  key?: string,
) {
  await watched.change(what, good, work, key);
  await Promise.all([0, 1].flatMap((which) => WAYS.map((way) => look(watched, way, which))));
}

/** @param quiet whether nobody asks in between: then each look is the first that could notice the change */
async function lifeOf(which: number, quiet: boolean): Promise<Watched> {
  const other = 1 - which;
  const groupId = await newGroup();
  const { id, secret } = await newKey(which, { groupId });
  const watched = new Watched(secret);
  const key = `/keys/${id}`;
  const life = async () => {
    await changeAndLook(watched, 'disable', false, () => arena.as(which, 'POST', `${key}/disable`));
    await changeAndLook(watched, 'enable', true, () => arena.as(other, 'POST', `${key}/enable`));
    const edit = (permissions: string[]) => arena.as(which, 'PATCH', `/groups/${groupId}`, { permissions });
    await changeAndLook(watched, 'group edit', false, () => edit(['c:d']));
    await changeAndLook(watched, 'group edit', true, () => edit(['a:b', 'c:d']));
    let next = '';
    const rotate = async () => {
      next = (await arena.as(other, 'POST', `${key}/rotate`, { overlapSeconds: 0 })).secret;
    };
    await changeAndLook(watched, 'rotation (old secret)', false, rotate);
    await changeAndLook(watched, 'rotation (new secret)', true, async () => {}, next);
    await changeAndLook(watched, 'revocation', false, () => arena.as(which, 'POST', `${key}/revoke`));
  };
  await (quiet ? life() : during(watched, life));
  return watched;
}

function noneStale(all: readonly Watched[]): void {
  expect(all.flatMap((w) => w.stale)).toEqual([]);
  for (const w of all) expect(w.judged).toBeGreaterThan(0);
}
const judged = (all: readonly Watched[]) => all.reduce((n, w) => n + w.judged, 0);

test('after a disable, an edit of the group, a rotation, a revocation no check finds what was before, in either process', async () => {
  const all: Watched[] = [];
  // Checks, not seconds: a slow machine takes longer.
  const run = async (lives: number, quiet: boolean, checks: number) => {
    const seen: Watched[] = [];
    const running = Array.from({ length: lives }, async (_, i) => {
      for (let which = i % 2; judged(seen) < checks; which = 1 - which) seen.push(await lifeOf(which, quiet));
    });
    await Promise.all(running);
    all.push(...seen);
  };
  await run(4, false, 8_000);
  await run(1, true, 8_000);
  noneStale(all);
  console.log(`${judged(all)} checks judged over ${all.length * 7} changes`);
}, 180_000);

test('after a removal, by the page or by plain SQL, every key of that member is refused, in either process', async () => {
  const all: Watched[] = [];
  const db = new Database(join(arena.companions[0]?.folder ?? '', 'heex.sqlite'), { timeout: 10_000 });
  db.pragma('foreign_keys = on');
  const groupId = await newGroup();
  for (let i = 0; i < 8; i++) {
    const { token, membershipId } = await arena.member(`member${i}`);
    const keys = await Promise.all([0, 1].map((which) => newKey(which, { groupId }, token)));
    const [first, second] = keys.map(({ secret }) => new Watched(secret)) as [Watched, Watched];
    all.push(first, second);
    const remove = async () => {
      if (i % 2) db.prepare('delete from membership where id = ?').run(membershipId);
      else await arena.as(i % 4 ? 0 : 1, 'DELETE', `/members/${membershipId}`);
    };
    await during(first, () =>
      during(second, async () => {
        await Promise.all(WAYS.map((way) => look(second, way, 0)));
        await second.change('removal', false, () => changeAndLook(first, 'removal', false, remove));
        await Promise.all([0, 1].flatMap((which) => WAYS.map((way) => look(second, way, which))));
      }),
    );
  }
  db.close();
  noneStale(all);
}, 60_000);

test('a check that starts at or after the expiry finds the key expired, in either process', async () => {
  const all = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const groupId = await newGroup();
      const expiresAt = Date.now() + 1_500 + 20 * i;
      const { secret } = await newKey(i % 2, { groupId, expiresAt: new Date(expiresAt).toISOString() });
      const watched = new Watched(secret);
      const waiting = async () => {
        // Two processes of one machine share its clock.
        await new Promise((done) => setTimeout(done, Math.max(0, expiresAt - Date.now())));
        while (Date.now() < expiresAt);
      };
      await Promise.all([0, 1].map((which) => arena.isGood('verify', which, secret)));
      await changeAndLook(watched, 'expiry', false, waiting);
      return watched;
    }),
  );
  noneStale(all);
}, 60_000);
