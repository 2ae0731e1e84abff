import { ENROL_PERMISSION } from '../../../shared/agent-protocol.ts';
import { statusOf } from '../../../shared/check.ts';
import type { Agent, EnrolBody } from '../../../shared/contract/agents.ts';
import type { KeyIdentity } from '../../../shared/contract/verify.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/store.ts';
import { audit } from '../audit.ts';
import type { Deps, HeldKey, Origin } from '../deps.ts';
import { thumbprintOf } from './ed25519.ts';
import { checkProof } from './proof.ts';
import { readPresence, selectAgents, showAgent } from './read.ts';

export interface Enrolment {
  body: EnrolBody;
  key: HeldKey;
  /** `host[:port]` of every name of this companion. */
  hosts: ReadonlySet<string>;
}

/**
 * Enrols an agent with a key: the one time that it needs one. The same public key again is the same agent.
 * @returns `made` is false for an agent that was there
 * @throws Refusal bad_request (proof), forbidden (permission, address), rate_limited, conflict (removed, or of another workspace)
 */
export async function enrolAgent(
  deps: Deps,
  { body, key, hosts }: Enrolment,
  origin: Origin,
): Promise<{ agent: Agent; made: boolean }> {
  const origins = originsOf(deps.config.publicUrl, hosts);
  checkProof(body.proof, { publicKey: body.publicKey.x, apiKey: key.secret, origins, now: deps.now() });
  const identity = useKey(deps, key.secret, origin);
  const { id, made } = await deps.store.transact((tx) => enrol(deps, tx, body, identity, origin));
  const row = await selectAgents(deps.store.read).where('agent.id', '=', id).executeTakeFirst();
  if (!row) throw removed();
  const presence = await readPresence(deps, { ids: [id] });
  return { agent: showAgent(row, presence.get(id), deps.now()), made };
}

/** How the companion may be addressed: by its public name as that says, by the names of its own machine without TLS. */
function originsOf(publicUrl: string, hosts: ReadonlySet<string>): ReadonlySet<string> {
  const { host, origin } = new URL(publicUrl);
  const own = [...hosts].filter((name) => name !== host).map((name) => new URL(`http://${name}`).origin);
  return new Set([origin, ...own]);
}

const removed = () =>
  new Refusal('conflict', 'This agent was removed, and that is for good. To come back it enrols with a new key pair.');

/** Records the use as an enrolment, so that nobody takes the key for one that a program still needs. */
function useKey(deps: Deps, secret: string, origin: Origin): KeyIdentity {
  const { code, key, rateLimit } = deps.checker.check({
    key: secret,
    permissions: [ENROL_PERMISSION],
    customer: undefined,
    ip: origin.ip,
    userAgent: origin.userAgent,
    environment: undefined,
    workspaceId: undefined,
    verifierId: null,
    purpose: 'enrolment',
    requestId: origin.requestId,
  });
  if (key) return key;
  const status = statusOf(code);
  if (status === 401) throw new Refusal('unauthorized');
  if (status === 429)
    throw new Refusal('rate_limited', 'This key is over its rate limit.', [], {
      'Retry-After': String(rateLimit?.resetSeconds ?? 1),
    });
  if (code === 'ip_not_allowed') throw new Refusal('forbidden', 'This key may not be used from this address.');
  throw new Refusal('forbidden', `This key may not enrol agents; it needs the permission ${ENROL_PERMISSION}.`);
}

async function enrol(deps: Deps, tx: Tx, body: EnrolBody, identity: KeyIdentity, origin: Origin) {
  const thumbprint = thumbprintOf(body.publicKey.x);
  const known = await tx
    .selectFrom('agent')
    .select(['id', 'workspace_id', 'removed_at'])
    .where('public_key_thumbprint', '=', thumbprint)
    .executeTakeFirst();
  if (known && known.workspace_id !== identity.workspace.id)
    throw new Refusal('conflict', 'This public key belongs to an agent of another workspace.');
  if (known && known.removed_at !== null) throw removed();
  if (known) return { id: known.id, made: false };
  // The key may have died since it was checked.
  const owner = await tx
    .selectFrom('api_key')
    .innerJoin('membership', 'membership.id', 'api_key.membership_id')
    .select(['membership.id', 'membership.suspended_at'])
    .where('api_key.id', '=', identity.id)
    .where('api_key.revoked_at', 'is', null)
    .where('api_key.disabled_at', 'is', null)
    .executeTakeFirst();
  if (owner?.suspended_at !== null) throw new Refusal('unauthorized');
  const now = deps.now();
  const id = deps.newId('agt');
  const name = body.name ?? `agent-${thumbprint.slice(0, 8)}`;
  const key = { name: identity.name, prefix: identity.prefix };
  await tx
    .insertInto('agent')
    .values({
      id,
      workspace_id: identity.workspace.id,
      name,
      public_key: body.publicKey.x,
      public_key_thumbprint: thumbprint,
      enrolled_key_id: identity.id,
      enrolled_key: JSON.stringify(key),
      enrolled_membership_id: owner.id,
      enrolled_by: JSON.stringify(identity.owner),
      created_at: now,
      removed_at: null,
    })
    .execute();
  await audit(tx, {
    workspaceId: identity.workspace.id,
    at: now,
    actor: { type: 'key', id: identity.id, name: identity.name },
    action: 'agent.enrolled',
    target: { type: 'agent', id, name },
    after: { thumbprint, key: { id: identity.id, ...key }, owner: identity.owner },
    origin,
    client: 'api',
  });
  return { id, made: true };
}
