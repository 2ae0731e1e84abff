import { useEffect, useState } from 'preact/hooks';
import type { Role } from '../../../shared/contract/fields.ts';
import type { Member } from '../../../shared/contract/members.ts';
import { allKeys } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { invitations, liveKeysOf, members, refreshTeam, teamFailure, teamRefreshing } from '../../state/team.ts';
import { me, offline, role } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
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
import { type Change, ChangeDialog, ResetDialog } from './member-dialogs.tsx';
import { Page } from './shell.tsx';
import { focusSearch, ListState, SearchBox } from './table-parts.tsx';

const givenRoles = (): Role[] => (role.value === 'owner' ? ['owner', 'admin', 'member'] : ['admin', 'member']);

interface Acts {
  onChange: (change: Change) => void;
  onReset: (member: Member) => void;
}

function MemberMenu({ of: member, onChange, onReset }: Omit<Acts, 'onReset'> & { of: Member; onReset: () => void }) {
  const menu = useMenu();
  const own = member.id === me.value?.membership.id;
  const above = member.role === 'owner' && role.value !== 'owner';
  const why = offline.value ? 'Needs the server' : above ? 'Only an owner can change an owner' : undefined;
  const whyNoReset = why ?? (member.role === 'admin' && role.value !== 'owner' ? 'Only an owner can' : undefined);
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
              <MenuItem icon="lock" unavailable={whyNoReset} onSelect={menu.choose(onReset)}>
                Reset the password…
              </MenuItem>
            )}
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

function MemberRow({ of: member, onChange, onReset }: Acts & { of: Member }) {
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
        <MemberMenu of={member} onChange={onChange} onReset={() => onReset(member)} />
      </td>
    </tr>
  );
}

function MemberTable({ shown, ...acts }: Acts & { shown: Member[] }) {
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
          <MemberRow key={member.id} of={member} {...acts} />
        ))}
      </tbody>
    </table>
  );
}

/** Who is in the workspace, and who is invited. */
export function Members({ removing }: { removing?: string }) {
  const [search, setSearch] = useState('');
  const [change, setChange] = useState<Change>();
  const [resetting, setResetting] = useState<Member>();
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
            <MemberTable shown={shown} onChange={setChange} onReset={setResetting} />
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
      {resetting && <ResetDialog of={resetting} onClose={() => setResetting(undefined)} />}
      {change && <ChangeDialog of={change} onClose={() => setChange(undefined)} />}
    </Page>
  );
}
