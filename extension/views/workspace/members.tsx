import { useEffect, useState } from 'preact/hooks';
import type { Role } from '../../../shared/contract/fields.ts';
import type { Member } from '../../../shared/contract/workspace.ts';
import type { Failure } from '../../messages/failure.ts';
import { allKeys } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import {
  invitations,
  liveKeysOf,
  members,
  refreshTeam,
  reinstateMember,
  setRole,
  suspendMember,
  teamFailure,
  teamRefreshing,
} from '../../state/team.ts';
import { showToast } from '../../state/toasts.ts';
import { me, offline, role } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { count, day } from '../../ui/format.ts';
import { Avatar, Tag } from '../../ui/marks.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { When } from '../../ui/when.tsx';
import { InviteForm } from '../invite.tsx';
import { ROLE_WORDS } from '../menus.tsx';
import { RemoveSheet } from '../remove-sheet.tsx';
import { whyNotRemove } from '../team-rules.ts';
import { InvitationTable } from './invitation-table.tsx';
import { Page } from './shell.tsx';
import { focusSearch, ListState, SearchBox } from './table-parts.tsx';

type Change = { member: Member; role: Role } | { member: Member; suspend: boolean };

/** A role change or a suspension is asked for once more: both change what somebody can do from that moment. */
function ChangeDialog({ of: change, onClose }: { of: Change; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { member } = change;
  const words = wordsOf(change);
  const act = async () => {
    setBusy(true);
    const result =
      'role' in change
        ? await setRole(member.id, change.role)
        : await (change.suspend ? suspendMember(member.id) : reinstateMember(member.id));
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(words.done);
    onClose();
  };
  return (
    <Dialog
      title={words.title}
      mark={<Avatar name={member.name} large />}
      subtitle={member.email}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant={words.danger ? 'danger' : 'primary'} busy={busy && 'Changing'} onClick={() => void act()}>
            {words.act}
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what="Nothing was changed" failure={failure} />}
        <p class="muted">{words.effect}</p>
      </div>
    </Dialog>
  );
}

function wordsOf(change: Change) {
  const { name } = change.member;
  if ('role' in change) {
    const to = ROLE_WORDS[change.role];
    const effects: Record<Role, string> = {
      owner: 'Owners can do everything, also change roles of owners, the name and the policies of the workspace.',
      admin: 'Admins invite and remove people, see every key (never a secret) and can disable or revoke it.',
      member: 'Members see and manage their own keys only.',
    };
    return {
      title: `Make ${name} ${to}?`,
      act: `Make ${to}`,
      done: `${name} is ${to} now`,
      effect: effects[change.role],
      danger: false,
    };
  }
  return change.suspend
    ? {
        title: `Suspend ${name}?`,
        act: 'Suspend',
        done: `${name} suspended`,
        effect:
          'Until you reinstate them, their keys and sessions here are refused. Nothing is deleted. Agents keep running.',
        danger: true,
      }
    : {
        title: `Reinstate ${name}?`,
        act: 'Reinstate',
        done: `${name} reinstated`,
        effect: 'Their keys work again at once.',
        danger: false,
      };
}

const givenRoles = (): Role[] => (role.value === 'owner' ? ['owner', 'admin', 'member'] : ['admin', 'member']);

function MemberMenu({ of: member, onChange }: { of: Member; onChange: (change: Change) => void }) {
  const menu = useMenu();
  const own = member.id === me.value?.membership.id;
  const above = member.role === 'owner' && role.value !== 'owner';
  const why = offline.value ? 'Needs the server' : above ? 'Only an owner can change an owner' : undefined;
  const suspended = member.status === 'suspended';
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        icon="more"
        label={own ? 'Your membership' : `Actions for ${member.name}`}
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({
        label: member.name,
        align: 'end',
        children: (
          <>
            {givenRoles().map((one) => (
              <MenuItem
                key={one}
                checked={one === member.role}
                unavailable={why}
                onSelect={menu.choose(() => one !== member.role && onChange({ member, role: one }))}
              >
                {ROLE_WORDS[one]}
              </MenuItem>
            ))}
            <hr />
            {!own && (
              <MenuItem
                icon={suspended ? 'play' : 'pause'}
                unavailable={why}
                onSelect={menu.choose(() => onChange({ member, suspend: !suspended }))}
              >
                {suspended ? 'Reinstate…' : 'Suspend…'}
              </MenuItem>
            )}
            <MenuItem
              icon={own ? 'logout' : 'user-minus'}
              danger
              unavailable={whyNotRemove(member)}
              onSelect={menu.choose(() => navigate({ screen: 'remove', id: member.id }))}
            >
              {own ? 'Leave the workspace…' : 'Remove…'}
            </MenuItem>
          </>
        ),
      })}
    </>
  );
}

function MemberRow({ of: member, onChange }: { of: Member; onChange: (change: Change) => void }) {
  const own = member.id === me.value?.membership.id;
  return (
    <tr>
      <td>
        <div class="row" style="gap:10px">
          <Avatar name={member.name} large />
          <span class="cell grow">
            <span class="row" style="gap:6px">
              <b class="semi truncate" title={member.name}>
                {member.name}
              </b>
              {own && <Tag>You</Tag>}
              {member.status === 'suspended' && (
                <Tag tone="warn" icon="pause-circle">
                  Suspended
                </Tag>
              )}
            </span>
            <small class="truncate" title={member.email}>
              {member.email}
            </small>
          </span>
        </div>
      </td>
      <td>{ROLE_WORDS[member.role]}</td>
      <td class="num">{allKeys.value ? liveKeysOf(member.id) : '–'}</td>
      <td>
        <When at={member.joinedAt} words={day} />
      </td>
      <td class="r nowrap">
        {!own && (
          <Button
            variant="ghost"
            size="sm"
            unavailable={whyNotRemove(member)}
            onClick={() => navigate({ screen: 'remove', id: member.id })}
          >
            Remove<span class="sr"> {member.name}</span>
          </Button>
        )}
        <MemberMenu of={member} onChange={onChange} />
      </td>
    </tr>
  );
}

function MemberTable({ shown, onChange }: { shown: Member[]; onChange: (change: Change) => void }) {
  return (
    <table class="table table--fixed table--people">
      <caption class="sr">Members</caption>
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Role</th>
          <th scope="col">Keys</th>
          <th scope="col">Joined</th>
          <th scope="col">
            <span class="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((member) => (
          <MemberRow key={member.id} of={member} onChange={onChange} />
        ))}
      </tbody>
    </table>
  );
}

/** Who is in the workspace, and who is invited. */
export function Members({ removing }: { removing?: string }) {
  const [search, setSearch] = useState('');
  const [change, setChange] = useState<Change>();
  useEffect(() => {
    void refreshTeam();
  }, []);
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const text = search.trim().toLowerCase();
  const all = members.value;
  const shown = all?.filter((m) => `${m.name} ${m.email}`.toLowerCase().includes(text));
  const leaving = all?.find((member) => member.id === removing);
  return (
    <Page
      title="Members"
      about={all && <span class="small muted">{count(all.length, 'member')}</span>}
      acts={
        <div class="page-search">
          <SearchBox label="Search members" hint="Search members" value={search} onInput={setSearch} />
        </div>
      }
    >
      <div class="stack">
        <section class="card card--form">
          <InviteForm />
        </section>
        <section class="card card--table">
          {shown && shown.length > 0 ? (
            <MemberTable shown={shown} onChange={setChange} />
          ) : (
            <ListState
              what="The team can’t be shown"
              loading={teamRefreshing.value && !all}
              failure={all ? undefined : (teamFailure.value ?? undefined)}
              empty={<p class="page__note muted">Nobody matches.</p>}
              onRetry={() => void refreshTeam()}
            />
          )}
        </section>
        {(invitations.value?.length ?? 0) > 0 && <InvitationTable of={invitations.value ?? []} />}
      </div>
      {leaving && <RemoveSheet key={leaving.id} of={leaving} />}
      {change && <ChangeDialog of={change} onClose={() => setChange(undefined)} />}
    </Page>
  );
}
