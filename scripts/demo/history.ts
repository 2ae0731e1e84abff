import { startFleet } from './agents.ts';
import { type DemoKey, type DemoPerson, GROUPS, JONAS, KEYS, LENA, PASSWORD, PEOPLE } from './people.ts';
import { DAY, type World } from './world.ts';

const DAYS = 45;
export const STARTS = DAYS;

interface Played {
  world: World;
  w: string;
  tokens: Map<DemoPerson, string>;
  groups: Map<string, string>;
  verifiers: Map<string, string>;
  keys: Map<DemoKey, { id: string; secret: string; old?: string }>;
}

/** A session lasts a week unused: everyone signs in when they have something to do. */
async function signedIn(played: Played, person: DemoPerson): Promise<string> {
  const { world, tokens } = played;
  const made = await world.call<{ session: { token: string } }>('POST', '/v1/sessions', undefined, {
    email: person.email,
    password: PASSWORD,
  });
  tokens.set(person, made.session.token);
  return made.session.token;
}

async function open(world: World): Promise<Played> {
  const { id, token } = await world.setUp('Acme Robotics', { name: LENA.name, email: LENA.email, password: PASSWORD });
  const w = `/v1/workspaces/${id}`;
  const groups = new Map<string, string>();
  for (const group of GROUPS)
    groups.set(group.name, (await world.call<{ id: string }>('POST', `${w}/groups`, token, group)).id);
  const verifiers = new Map<string, string>();
  for (const [environment, name] of [
    ['production', 'events-gateway'],
    ['staging', 'staging-gateway'],
    ['development', 'dev-gateway'],
  ] as const)
    verifiers.set(
      environment,
      (await world.call<{ secret: string }>('POST', `${w}/verifiers`, token, { name, environment })).secret,
    );
  return { world, w, tokens: new Map([[LENA, token]]), groups, verifiers, keys: new Map() };
}

async function join(played: Played, person: DemoPerson): Promise<void> {
  const { world, w, tokens } = played;
  // To invite an admin asks for a recent sign-in.
  const owner = await signedIn(played, LENA);
  const { link } = await world.call<{ link: string }>('POST', `${w}/invitations`, owner, {
    email: person.email,
    role: person.role,
  });
  const body = { token: new URL(link).hash.slice(1), name: person.name, password: PASSWORD };
  const made = await world.call<{ session: { token: string } }>('POST', '/v1/invitations/accept', undefined, body);
  tokens.set(person, made.session.token);
}

/** The owner removes somebody: their keys end with their membership. */
async function leave(played: Played, person: DemoPerson): Promise<void> {
  const { world, w } = played;
  const owner = await signedIn(played, LENA);
  const { items } = await world.call<{ items: { id: string; email: string }[] }>('GET', `${w}/members`, owner);
  const id = items.find(({ email }) => email === person.email)?.id;
  if (id) await world.call('DELETE', `${w}/members/${id}`, owner);
}

async function make(played: Played, key: DemoKey): Promise<void> {
  const { world, w, groups } = played;
  const token = await signedIn(played, key.owner);
  const lasts = key.fate === 'expires' ? key.made - 3 : key.fate === 'expires_soon' ? key.made + 6 : key.made + 90;
  const made = await world.call<{ key: { id: string }; secret: string }>('POST', `${w}/keys`, token, {
    name: key.name,
    environment: key.environment,
    groupId: key.group ? (groups.get(key.group) as string) : null,
    expiresAt: key.name === 'fleet-install' ? null : new Date(world.now() + lasts * DAY).toISOString(),
    ...(key.ipAllowlist ? { ipAllowlist: key.ipAllowlist } : {}),
    ...(key.rateLimit ? { rateLimit: key.rateLimit } : {}),
  });
  played.keys.set(key, { id: made.key.id, secret: made.secret });
}

/** What becomes of a key, on the day that it happens. */
async function meet(played: Played, key: DemoKey, daysAgo: number): Promise<void> {
  const made = played.keys.get(key);
  if (!made) return;
  const act = async (path: string, body: Record<string, unknown> = {}) =>
    played.world.call<{ secret?: string }>(
      'POST',
      `${played.w}/keys/${made.id}/${path}`,
      await signedIn(played, key.owner),
      body,
    );
  if (key.fate === 'leaked' && daysAgo === 13) await act('revoke', { reason: 'leaked' });
  if (key.fate === 'disabled' && daysAgo === 9) await act('disable');
  if (key.fate === 'rotated' && daysAgo === 1) {
    const { secret } = await act('rotate', { overlapSeconds: 604_800 });
    made.old = made.secret;
    made.secret = secret as string;
  }
}

async function use(played: Played, key: DemoKey, daysAgo: number, hour: number, weekend: boolean): Promise<void> {
  const made = played.keys.get(key);
  if (!made || !key.uses || (weekend && key.uses < 10)) return;
  // No two days are alike, and every demo is.
  const mood = 0.4 + ((key.made * 7 + daysAgo * 5 + hour * 3) % 13) / 10;
  const times = Math.round((key.uses * mood * (weekend ? 0.3 : 1)) / 3);
  for (let i = 0; i < times; i++) {
    // Now and then somebody is where they should not be, or asks for more than the key may.
    const astray = (i + hour) % 17 === 0;
    await played.world.call('POST', '/v1/verify', played.verifiers.get(key.environment) as string, {
      key: made.old && i % 3 === 0 ? made.old : made.secret,
      ip: astray && key.ipAllowlist ? '198.51.100.99' : key.ip,
      userAgent: key.program,
      ...(astray ? { permissions: ['billing:write'] } : {}),
    });
  }
}

/**
 * Plays six weeks of the workspace and leaves the clock at the present.
 * @param progress told the share that is done, 0 to 1
 * @param stop ends the agents that run from then on
 */
export async function playHistory(world: World, progress: (share: number) => void, stop: AbortSignal): Promise<void> {
  const played = await open(world);
  for (let daysAgo = DAYS; daysAgo >= 0; daysAgo--) {
    progress(1 - daysAgo / DAYS);
    world.goTo(daysAgo);
    for (const person of PEOPLE) if (person !== LENA && person.joined === daysAgo) await join(played, person);
    for (const person of PEOPLE) if (person.left === daysAgo) await leave(played, person);
    for (const key of KEYS) {
      if (key.made === daysAgo) await make(played, key);
      await meet(played, key, daysAgo);
    }
    const weekday = new Date(world.now()).getUTCDay();
    for (const hour of [0, 1, 2]) {
      world.goTo(Math.max(0, daysAgo - hour / 4));
      for (const key of KEYS) await use(played, key, daysAgo, hour, weekday === 0 || weekday === 6);
    }
  }
  const owner = await signedIn(played, LENA);
  await world.call('POST', `${played.w}/invitations`, owner, { email: 'sam@acme.example', role: 'member' });
  const installer = [...played.keys].find(([key]) => key.name === 'fleet-install')?.[1];
  if (installer) await startFleet(world.companion.url, installer.secret, stop);
}

/** Whom the demo suggests to remove. */
export const LEAVER = JONAS.name;
