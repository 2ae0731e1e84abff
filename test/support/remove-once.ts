import { randomBytes } from 'node:crypto';
import { findMember } from '../../companion/app/members.ts';
import { removeMembership } from '../../companion/app/removal.ts';
import { openDataFolder } from '../../companion/store/data-folder.ts';
import { openStore } from '../../companion/store/store.ts';

/**
 * A process that removes one member, for tests that kill it: `node remove-once.ts <folder> <workspace> <membership>`. Says
 * "ready", waits for a byte, removes as the companion does, says "done" once it would have been acknowledged.
 */
const [, , folder = '', workspaceId = '', membershipId = ''] = process.argv;
const store = openStore(openDataFolder(folder, undefined, randomBytes));
process.stdout.write('ready\n');
await new Promise((go) => process.stdin.once('data', go));
await store.transact(async (tx) => {
  const target = await findMember(tx, workspaceId, membershipId);
  return removeMembership(tx, Date.now(), target, { actor: { type: 'system' } });
});
process.stdout.write('done\n', () => process.exit(0));
