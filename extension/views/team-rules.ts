import type { Member } from '../../shared/contract/members.ts';
import { members } from '../state/team.ts';
import { offline, role } from '../state/workspace.ts';

/** Why the reader can't remove this member: an admin is not above an owner. The server decides all the same. */
export function whyNotRemove(member: Member): string | undefined {
  if (offline.value) return 'Needs the server';
  const owners = members.value?.filter((m) => m.role === 'owner').length ?? 0;
  if (member.role === 'owner' && owners <= 1) return 'The last owner can’t be removed';
  if (member.role === 'owner' && role.value !== 'owner') return 'Only an owner can remove an owner';
  return undefined;
}
