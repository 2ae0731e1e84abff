import { useState } from 'preact/hooks';
import { ENROL_PERMISSION } from '../../shared/agent-protocol.ts';
import type { Group } from '../../shared/contract/groups.ts';
import type { Failure } from '../messages/failure.ts';
import { createGroup } from '../state/admin.ts';
import { EMPTY_NEW_KEY, newKeyDraft } from '../state/drafts.ts';
import { navigate } from '../state/route.ts';
import { isAdmin, listGroups } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { Callout } from '../ui/notice.tsx';
import { whyNoNewKey } from './keys-states.tsx';

const GROUP_NAME = 'Installers';

/** A key that can enrol agents, and nothing else that the group may do. */
function begin(group: Group): void {
  newKeyDraft.value = {
    ...EMPTY_NEW_KEY,
    name: 'agent-install',
    environment: 'production',
    expiry: '7',
    groupId: group.id,
    permissions: group.permissions.length > 1 ? [ENROL_PERMISSION] : null,
  };
  navigate({ screen: 'new' });
}

/** The smallest group that may enrol agents. */
const enrolling = (groups: readonly Group[]) =>
  groups
    .filter(({ permissions }) => permissions.includes(ENROL_PERMISSION))
    .sort((a, b) => a.permissions.length - b.permissions.length)[0];

/** The way to a key that enrols agents: over a group that may. */
export function useInstallerKey() {
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const start = async () => {
    setBusy(true);
    const result = await listGroups();
    setBusy(false);
    setFailure(result.ok ? undefined : result.failure);
    if (!result.ok) return;
    const group = enrolling(result.value);
    if (group) begin(group);
    else setMissing(true);
  };
  const make = async () => {
    setBusy(true);
    const result = await createGroup({
      name: GROUP_NAME,
      description: 'Keys that enrol agents, and do nothing else.',
      permissions: [ENROL_PERMISSION],
    });
    setBusy(false);
    if (result.ok) begin(result.value);
    else setFailure(result.failure);
  };
  return { busy, missing, failure, blocked: whyNoNewKey(), start: () => void start(), make: () => void make() };
}

/** What is in the way of such a key, and for admins the way out of it. */
export function InstallerKey({ of: { busy, missing, failure, make } }: { of: ReturnType<typeof useInstallerKey> }) {
  return (
    <>
      {failure && <FailureNote what="A key for an agent can’t be made" failure={failure} />}
      {missing && (
        <Callout tone="warn" icon="layers" live>
          <p>
            <b>No authorization group may enrol agents yet.</b>{' '}
            {isAdmin.value ? (
              <>
                “{GROUP_NAME}” would hold <code>{ENROL_PERMISSION}</code> alone.
              </>
            ) : (
              <>
                Ask an admin for a group with <code>{ENROL_PERMISSION}</code>.
              </>
            )}
          </p>
          {isAdmin.value && (
            <Button size="sm" icon="plus" busy={busy && 'Making'} onClick={make}>
              Make the group “{GROUP_NAME}”
            </Button>
          )}
        </Callout>
      )}
    </>
  );
}
