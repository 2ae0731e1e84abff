import { useEffect, useState } from 'preact/hooks';
import type { Group } from '../../../shared/contract/groups.ts';
import type { Failure } from '../../messages/failure.ts';
import { deleteGroup } from '../../state/admin.ts';
import { navigate, route } from '../../state/route.ts';
import { listGroups, offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { count } from '../../ui/format.ts';
import { permissionsByResource } from '../../ui/key-words.ts';
import { Empty } from '../../ui/notice.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { GroupEditor } from './group-editor.tsx';
import { Page } from './shell.tsx';
import { ListState } from './table-parts.tsx';

/** What the group is about, in a line: its resources. */
const summary = ({ permissions }: Group) =>
  permissions.length === 0
    ? 'No permissions'
    : permissionsByResource(permissions)
        .map(({ resource }) => resource)
        .join(', ');

function GroupList({ groups, chosen }: { groups: Group[]; chosen: string | undefined }) {
  return (
    <nav class="groups__list" aria-label="Authorization groups">
      <ul>
        {groups.map((group) => (
          <li key={group.id}>
            <button
              type="button"
              class="menu__item"
              aria-current={group.id === chosen ? 'true' : undefined}
              onClick={() => navigate({ screen: 'groups', id: group.id })}
            >
              <span class="grow truncate">
                <span class={group.id === chosen ? 'semi' : undefined} title={group.name}>
                  {group.name}
                </span>
                <small class="truncate">{summary(group)}</small>
              </span>
              <span class="num small subtle">{count(group.keys, 'key')}</span>
            </button>
          </li>
        ))}
      </ul>
      <Button variant="ghost" icon="plus" onClick={() => navigate({ screen: 'groups', id: 'new' })}>
        New group
      </Button>
    </nav>
  );
}

function DeleteDialog({ of: group, onClose, onDone }: { of: Group; onClose: () => void; onDone: () => void }) {
  return (
    <ConfirmDialog
      title={`Delete ${group.name}?`}
      act="Delete group"
      acting="Deleting"
      work={() => deleteGroup(group.id)}
      done={`${group.name} deleted`}
      failed="The group was not deleted"
      onClose={onClose}
      onDone={onDone}
    >
      <p class="muted">No live key uses it, so nothing stops working.</p>
    </ConfirmDialog>
  );
}

/** Named sets of permissions: what keys may be given. */
export function Groups() {
  const [groups, setGroups] = useState<Group[]>();
  const [failure, setFailure] = useState<Failure>();
  const [deleting, setDeleting] = useState<Group>();
  const read = async () => {
    const result = await listGroups();
    if (result.ok) setGroups(result.value);
    setFailure(result.ok ? undefined : result.failure);
  };
  useEffect(() => {
    void read();
  }, []);
  const { id } = route.value;
  const chosen = groups?.find((group) => group.id === id) ?? (id === 'new' ? undefined : groups?.[0]);
  const making = id === 'new';
  const used = chosen && chosen.keys > 0 && `Used by ${count(chosen.keys, 'key')}. Move them first.`;
  return (
    <Page
      title="Authorization groups"
      flush
      acts={
        chosen && (
          <Button
            variant="ghost"
            icon="trash"
            unavailable={(offline.value && 'Needs the server') || used}
            onClick={() => setDeleting(chosen)}
          >
            Delete group
          </Button>
        )
      }
    >
      {groups ? (
        <div class="groups">
          <GroupList groups={groups} chosen={chosen?.id} />
          {chosen || making ? (
            <GroupEditor
              key={chosen?.id ?? 'new'}
              group={chosen}
              known={groups.flatMap(({ permissions }) => permissions)}
              onSaved={(group) => {
                void read();
                navigate({ screen: 'groups', id: group.id });
              }}
            />
          ) : (
            <Empty title="No groups yet">
              A group is a named set of permissions. Keys are given a group, and follow it at once when it changes.
            </Empty>
          )}
        </div>
      ) : (
        <ListState
          what="The groups can’t be shown"
          loading={!failure}
          failure={failure}
          empty={null}
          onRetry={() => void read()}
        />
      )}
      {deleting && (
        <DeleteDialog
          of={deleting}
          onClose={() => setDeleting(undefined)}
          onDone={() => {
            setDeleting(undefined);
            navigate({ screen: 'groups' });
            void read();
          }}
        />
      )}
    </Page>
  );
}
