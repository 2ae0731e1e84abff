import { FailureError } from '../../shared/client/client.ts';
import { DEVICE_GRANT, device } from '../../shared/contract/device.ts';
import { people } from '../../shared/contract/people.ts';
import { type KeyIdentity, verification } from '../../shared/contract/verify.ts';
import { parseKey } from '../../shared/key-format.ts';
import { BadUsage, type Io, json, plain, Refused } from './io.ts';
import { ended, originOf, serverAt, sessionFor } from './server.ts';
import { checkSessionFile, forgetSession, readSession, writeSession } from './session-file.ts';

export interface AccountOptions {
  url?: string | undefined;
  json?: boolean | undefined;
  session?: boolean | undefined;
}

const CLIENT_ID = 'Heex CLI';

/** Signs in with a code that is typed in a browser (RFC 8628). @throws Refused when it is denied, too late, or can't be kept */
export async function login(io: Io, options: AccountOptions): Promise<void> {
  const server = serverAt(io, originOf(io, options.url));
  checkSessionFile(io.env);
  const asked = await server.call(device.deviceCode, { body: { client_id: CLIENT_ID, device_name: io.machine } });
  io.say(`Open ${plain(asked.verification_uri)} and type this code:\n\n    ${plain(asked.user_code)}\n\nWaiting…\n`);
  const deadline = io.now() + asked.expires_in * 1000;
  // Asking without a pause would flood the server.
  let interval = Math.max(1, asked.interval);
  while (io.now() < deadline) {
    await io.sleep(interval * 1000);
    const body = { grant_type: DEVICE_GRANT, device_code: asked.device_code, client_id: CLIENT_ID };
    try {
      const { session, user } = await server.call(device.deviceToken, { body });
      await replaceSession(io, { origin: server.origin, ...session, email: user.email });
      io.say(`Signed in to ${server.origin} as ${plain(user.email)}.\n`);
      return;
    } catch (error) {
      interval += longer(error);
    }
  }
  throw new Refused('Nobody typed the code in time. Start again.');
}

/** By how many seconds the next poll waits longer (RFC 8628, 3.5). @throws what ends the waiting */
function longer(error: unknown): number {
  if (!(error instanceof FailureError)) throw error;
  switch (error.failure.code) {
    case 'authorization_pending':
      return 0;
    case 'slow_down':
    case 'temporarily_unavailable':
    case 'timeout':
    case 'network':
      return 5;
    case 'access_denied':
      throw new Refused('The request was denied in the browser.');
    case 'expired_token':
      throw new Refused('Nobody typed the code in time. Start again.');
    default:
      throw error;
  }
}

/** Keeps the new session and ends the one before, which nobody would use any more; or the new one, where it can't be kept. */
async function replaceSession(io: Io, fresh: Parameters<typeof writeSession>[1]): Promise<void> {
  const old = readSession(io.env);
  try {
    writeSession(io.env, fresh);
  } catch (error) {
    if (!(await endAt(io, fresh)))
      io.say(`${fresh.origin} did not confirm that it ended the session. End it in your account there.\n`);
    throw error;
  }
  if (old?.origin === fresh.origin) await endAt(io, old);
}

/** @returns whether the server confirmed it */
async function endAt(io: Io, { origin, token }: { origin: string; token: string }): Promise<boolean> {
  const ending = serverAt(io, origin, token).call(people.endSession, { params: { sessionId: 'current' } });
  return ending.then(
    () => true,
    () => false,
  );
}

/** What HEEX_API_KEY is, where it is set; who is signed in otherwise. */
export async function whoami(io: Io, options: AccountOptions): Promise<void> {
  const key = io.env.HEEX_API_KEY;
  if (key && !options.session) return whoamiKey(io, options, key);
  const { origin, token } = sessionFor(io, options.url);
  const me = await serverAt(io, origin, token).call(people.me, {}).catch(ended);
  if (options.json) return io.out(json(me));
  const places = me.memberships.map(
    (m) => `${m.workspaceName}: ${m.role}${m.status === 'suspended' ? ', suspended' : ''}`,
  );
  io.out([`${me.user.name} <${me.user.email}> at ${origin}`, ...places].map((line) => `${plain(line)}\n`).join(''));
}

async function whoamiKey(io: Io, options: AccountOptions, secret: string): Promise<void> {
  // A typing error or a cut-off copy is told without sending anything.
  if (!parseKey(secret)) throw new BadUsage('HEEX_API_KEY is not a whole key: its shape or checksum is wrong.');
  const server = serverAt(io, originOf(io, options.url), secret);
  try {
    const { key } = await server.call(verification.whoami, {});
    io.out(options.json ? json({ key }) : describeKey(key));
  } catch (error) {
    if (error instanceof FailureError && error.failure.status === 401)
      throw new Refused(
        `HEEX_API_KEY is refused. Its owner finds the reason in the request log, under ${error.failure.requestId ?? 'the key'}.`,
      );
    throw error;
  }
}

function describeKey(key: KeyIdentity): string {
  return [
    `key          ${key.name} (${key.prefix}…)`,
    `owner        ${key.owner.name} <${key.owner.email}>`,
    `workspace    ${key.workspace.name}`,
    `environment  ${key.environment}`,
    `permissions  ${key.permissions.join(', ') || 'none'}`,
    ...(key.customers.length ? [`customers    ${key.customers.join(', ')}`] : []),
    `expires      ${key.expiresAt ?? 'never'}`,
  ]
    .map((line) => `${plain(line)}\n`)
    .join('');
}

/** Ends the session on the server, and forgets it here in any case. */
export async function logout(io: Io, options: AccountOptions): Promise<void> {
  const session = sessionFor(io, options.url);
  forgetSession(io.env);
  try {
    await serverAt(io, session.origin, session.token).call(people.endSession, { params: { sessionId: 'current' } });
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    // Ended already is what was wanted.
    if (error.failure.status === 401) return io.say('Signed out.\n');
    throw new Refused(
      `Signed out here, but ${session.origin} did not confirm it (${error.failure.code}). End the session in your account there.`,
    );
  }
  io.say(`Signed out of ${session.origin}.\n`);
}
