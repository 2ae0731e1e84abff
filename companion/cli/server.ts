import { parseAddress } from '../../shared/client/address.ts';
import { type CallInput, createClient, FailureError } from '../../shared/client/client.ts';
import type { AnswerOf, Endpoint } from '../../shared/contract/endpoint.ts';
import { type Membership, people } from '../../shared/contract/people.ts';
import { BadUsage, type Io, Refused, SignedOut } from './io.ts';
import { readSession, type StoredSession } from './session-file.ts';

/** Calls one server, with a session, a key or nothing. Throws `FailureError`. */
export interface Server {
  origin: string;
  call<E extends Endpoint>(endpoint: E, input: CallInput<E>): Promise<AnswerOf<E>>;
}

export function serverAt(io: Io, origin: string, token?: string): Server {
  const client = createClient({ fetch: io.fetch });
  return { origin, call: (endpoint, input) => client.call({ origin, token }, endpoint, input) };
}

/** The server that was named: by `--url`, by HEEX_URL, or by the last sign-in. @throws BadUsage */
export function originOf(io: Io, url: string | undefined): string {
  const named = url ?? (io.env.HEEX_URL || undefined);
  const known = named ?? readSession(io.env)?.origin;
  if (known === undefined) throw new BadUsage('Which server? Give --url, or set HEEX_URL.');
  const address = parseAddress(known);
  if (!address.ok) throw new BadUsage(`${named === url ? '--url' : 'HEEX_URL'}: ${address.message}`);
  return address.origin;
}

/** The session for the named server. @throws SignedOut */
export function sessionFor(io: Io, url: string | undefined): StoredSession {
  const named = url === undefined && !io.env.HEEX_URL ? undefined : originOf(io, url);
  const session = readSession(io.env);
  if (!session) throw new SignedOut('You are not signed in. Run: heex login');
  const origin = named ?? session.origin;
  if (origin !== session.origin)
    throw new SignedOut(`You are signed in at ${session.origin}, not at ${origin}. Run: heex login --url ${origin}`);
  if (Date.parse(session.expiresAt) <= io.now()) throw new SignedOut('Your session has ended. Run: heex login');
  return session;
}

export interface Workspace {
  server: Server;
  workspaceId: string;
}

/** The workspace to work in, with the session for it. @throws SignedOut, BadUsage, Refused */
export async function openWorkspace(io: Io, url: string | undefined, wanted: string | undefined): Promise<Workspace> {
  const { origin, token } = sessionFor(io, url);
  const server = serverAt(io, origin, token);
  const { memberships } = await server.call(people.me, {}).catch(ended);
  const name = wanted ?? (io.env.HEEX_WORKSPACE || undefined);
  return { server, workspaceId: choose(memberships, name).workspaceId };
}

function choose(memberships: readonly Membership[], name: string | undefined): Membership {
  const [first, second] = memberships.filter(
    (m) => name === undefined || m.workspaceId === name || m.workspaceName === name,
  );
  if (!first) throw new Refused(name ? `You are not a member of ${name}.` : 'You are not a member of a workspace.');
  if (second)
    throw new BadUsage(`Which workspace? Give --workspace: ${memberships.map((m) => m.workspaceId).join(', ')}`);
  return first;
}

/** A 401 for a session that was good: it was ended elsewhere. */
export function ended(error: unknown): never {
  if (error instanceof FailureError && error.failure.status === 401)
    throw new SignedOut('Your session has ended. Run: heex login');
  throw error;
}
