import { computed, signal } from '@preact/signals';
import { ask } from '../messages/send.ts';
import { mirrors } from './published.ts';

/** Who is signed in, with their membership in the workspace that is shown. */
export const me = computed(() => {
  const snapshot = mirrors.snapshot.value;
  return snapshot && { user: snapshot.user, membership: snapshot.membership };
});
export const workspace = computed(() => mirrors.snapshot.value?.workspace);
export const memberships = computed(() => mirrors.snapshot.value?.memberships ?? []);
export const role = computed(() => mirrors.snapshot.value?.membership.role);
/** Owner or admin: sees the team and every key. What is allowed is decided by the server all the same. */
export const isAdmin = computed(() => role.value === 'owner' || role.value === 'admin');

/** When the lists shown were read, milliseconds since 1970; undefined when there are none yet. */
export const dataAt = computed(() => mirrors.snapshot.value?.at);
const running = signal(0);
/** The lists are being read anew behind what is shown. */
export const refreshing = computed(() => running.value > 0);
/** Why the latest refresh failed; the lists shown are those of `dataAt`. Null when it worked. */
export const syncFailure = computed(() => mirrors.sync.value?.failure ?? null);
/** The server can't be reached: what is shown can be read but not changed. */
export const offline = computed(() =>
  ['network', 'timeout', 'unavailable', 'bad_answer', 'internal'].includes(syncFailure.value?.code ?? ''),
);

/** Reads the lists anew. */
export async function refresh(): Promise<void> {
  running.value++;
  try {
    await ask('refresh');
  } finally {
    running.value--;
  }
}

/** Shows another workspace of the same person. */
export const chooseWorkspace = (workspaceId: string) => ask('workspace.choose', { workspaceId });
/** Browsers, extensions and command lines that are signed in. */
export const listSessions = () => ask('session.list');
export const endSession = (sessionId: string) => ask('session.end', { sessionId });
/** Authorization groups that a key can be given. */
export const listGroups = () => ask('group.list');
