import type { Action } from '../../shared/contract/actions.ts';
import type { Role } from '../../shared/contract/fields.ts';

type Who = 'everyone' | 'admins' | 'owners' | 'nobody';

/** `own`: with a thing of one's own (or none in particular). `others`: with somebody else's. */
const TABLE: Record<Action, { own: Who; others: Who }> = {
  'workspace.read': { own: 'everyone', others: 'everyone' },
  'workspace.edit': { own: 'owners', others: 'owners' },
  'key.list': { own: 'everyone', others: 'admins' },
  'key.create': { own: 'everyone', others: 'nobody' },
  'key.read': { own: 'everyone', others: 'admins' },
  'key.edit': { own: 'everyone', others: 'nobody' },
  'key.rotate': { own: 'everyone', others: 'nobody' },
  'key.disable': { own: 'everyone', others: 'admins' },
  'key.revoke': { own: 'everyone', others: 'admins' },
  'member.list': { own: 'admins', others: 'admins' },
  'member.edit': { own: 'admins', others: 'admins' },
  'member.remove': { own: 'everyone', others: 'admins' },
  'invitation.manage': { own: 'admins', others: 'admins' },
  'group.read': { own: 'everyone', others: 'everyone' },
  'group.manage': { own: 'admins', others: 'admins' },
  'verifier.manage': { own: 'admins', others: 'admins' },
  'agent.read': { own: 'everyone', others: 'admins' },
  'agent.remove': { own: 'everyone', others: 'admins' },
  'log.read': { own: 'admins', others: 'admins' },
  'audit.read': { own: 'admins', others: 'admins' },
  'sso.manage': { own: 'owners', others: 'owners' },
  'scim.manage': { own: 'owners', others: 'owners' },
};

const ROLES: Record<Who, readonly Role[]> = {
  everyone: ['owner', 'admin', 'member'],
  admins: ['owner', 'admin'],
  owners: ['owner'],
  nobody: [],
};

/** Whether a role may do that at all, with something of its own. */
export function allows(role: Role, action: Action): boolean {
  return ROLES[TABLE[action].own].includes(role);
}

/** Whether a role may do that with somebody else's. */
export function allowsOthers(role: Role, action: Action): boolean {
  return ROLES[TABLE[action].others].includes(role);
}

/** Whether somebody suspended may do that, with what is their own: leaving takes nothing from anybody. */
export function mayWhileSuspended(action: Action): boolean {
  return action === 'member.remove';
}

/** Which roles somebody may give or take: an admin makes no owners and touches none. */
export function mayGrant(actor: Role, role: Role): boolean {
  return actor === 'owner' || (actor === 'admin' && role !== 'owner');
}

/** Whose password somebody may have reset: whoever sets it is that person from then on. */
export function mayReset(actor: Role, role: Role): boolean {
  return actor === 'owner' || (actor === 'admin' && role === 'member');
}

/**
 * How somebody's wish to do a thing with an owned resource ends: what a member may not even see does not exist for them.
 * @param mine whether the resource belongs to the one who asks
 */
export function decide(role: Role, action: Action, mine: boolean): 'allowed' | 'forbidden' | 'hidden' {
  if (mine ? allows(role, action) : allowsOthers(role, action)) return 'allowed';
  return mine || ROLES.admins.includes(role) ? 'forbidden' : 'hidden';
}
