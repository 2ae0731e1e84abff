import type { Role } from '../../../shared/contract/fields.ts';
import type { Member, SignInWay } from '../../../shared/contract/members.ts';
import { allKeys } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { liveKeysOf } from '../../state/team.ts';
import { me, offline, role } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { ago, fullDay, number } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { Avatar, Tag } from '../../ui/marks.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { When } from '../../ui/when.tsx';
import { ROLE_WORDS } from '../menus.tsx';
import { whyNotRemove } from '../team-rules.ts';
import type { Change } from './member-dialogs.tsx';
import { Heads, RowMenu } from './table-parts.tsx';

const givenRoles = (): Role[] => (role.value === 'owner' ? ['owner', 'admin', 'member'] : ['admin', 'member']);

const WAYS: Record<SignInWay, readonly [IconName, string]> = {
  passkey: ['passkey', 'Passkey'],
  sso: ['building', 'SSO'],
  password: ['lock', 'Password'],
};

interface Acts {
  onChange: (change: Change) => void;
  onReset: (member: Member) => void;
}

/** Why the reader can’t change this member; the server decides all the same. */
function whyNotChange(member: Member): string | undefined {
  if (offline.value) return 'Needs the server';
  return member.role === 'owner' && role.value !== 'owner' ? 'Only an owner can change an owner' : undefined;
}

function RoleMenu({ of: member, onChange }: Pick<Acts, 'onChange'> & { of: Member }) {
  const menu = useMenu();
  const why = whyNotChange(member);
  return (
    <>
      <button
        type="button"
        class="btn btn--ghost btn--sm role-menu"
        aria-haspopup="menu"
        aria-expanded={menu.open}
        ref={menu.opener}
        onClick={menu.toggle}
      >
        <span class="sr">Role of {member.name}: </span>
        {ROLE_WORDS[member.role]}
        <Icon name="down" class="icon--sm" />
      </button>
      {menu.show({
        label: `Role of ${member.name}`,
        children: givenRoles().map((one) => (
          <MenuItem
            key={one}
            checked={one === member.role}
            unavailable={why}
            onSelect={menu.choose(() => one !== member.role && onChange({ member, role: one }))}
          >
            {ROLE_WORDS[one]}
          </MenuItem>
        )),
      })}
    </>
  );
}

function MemberMenu({ of: member, onChange, onReset }: Acts & { of: Member }) {
  const own = member.id === me.value?.membership.id;
  const why = whyNotChange(member);
  const whyNoReset = why ?? (member.role === 'admin' && role.value !== 'owner' ? 'Only an owner can' : undefined);
  const suspended = member.status === 'suspended';
  return (
    <RowMenu of={member.name} label={own ? 'Your membership' : undefined}>
      {(choose) => (
        <>
          {!own && (
            <>
              <MenuItem icon="lock" unavailable={whyNoReset} onSelect={choose(() => onReset(member))}>
                Reset the password…
              </MenuItem>
              <MenuItem
                icon={suspended ? 'play' : 'pause'}
                unavailable={why}
                onSelect={choose(() => onChange({ member, suspend: !suspended }))}
              >
                {suspended ? 'Reinstate…' : 'Suspend…'}
              </MenuItem>
            </>
          )}
          <MenuItem
            icon={own ? 'logout' : 'user-minus'}
            danger
            unavailable={whyNotRemove(member)}
            onSelect={choose(() => navigate({ screen: 'remove', id: member.id }))}
          >
            {own ? 'Leave the workspace…' : 'Remove…'}
          </MenuItem>
        </>
      )}
    </RowMenu>
  );
}

function Person({ of: member, own }: { of: Member; own: boolean }) {
  return (
    <div class="row" style="gap:10px">
      <Avatar name={member.name} large />
      <span class="cell grow">
        <span class="row" style="gap:6px">
          <b class="semi truncate" title={`${member.name}, joined ${fullDay(member.joinedAt)}`}>
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
  );
}

/** The first way, and how many there are beside it: all of them in the title. */
function Ways({ of: ways }: { of: readonly SignInWay[] }) {
  const [first, ...others] = ways;
  if (!first) return <span class="subtle">Nothing yet</span>;
  const words = ways.map((way) => WAYS[way][1]).join(', ');
  return (
    <span class="row" title={words}>
      <span class="subtle">
        <Icon name={WAYS[first][0]} />
      </span>
      <span class="small muted nowrap" aria-hidden={others.length > 0}>
        {WAYS[first][1]}
        {others.length > 0 && ` +${others.length}`}
      </span>
      {others.length > 0 && <span class="sr">{words}</span>}
    </span>
  );
}

function Figure({ value, unit }: { value: number | undefined; unit: string }) {
  return (
    <span class="cell num">
      <span>{value === undefined ? '–' : number(value)}</span>
      <small>{unit}</small>
    </span>
  );
}

function MemberRow({ of: member, ...acts }: Acts & { of: Member }) {
  const own = member.id === me.value?.membership.id;
  return (
    <tr>
      <td>
        <Person of={member} own={own} />
      </td>
      <td>
        <RoleMenu of={member} onChange={acts.onChange} />
      </td>
      <td>
        <Figure value={allKeys.value ? liveKeysOf(member.id) : undefined} unit="in use" />
      </td>
      <td>
        <Figure value={member.agents} unit="enrolled" />
      </td>
      <td>
        <Ways of={member.signsInWith} />
      </td>
      <td>
        {member.lastActiveAt ? (
          <When at={member.lastActiveAt} words={ago} />
        ) : (
          <span class="subtle">Not signed in</span>
        )}
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
        <MemberMenu of={member} {...acts} />
      </td>
    </tr>
  );
}

/** Everyone, with what hangs on them: keys, agents, ways to sign in. */
export function MemberTable({ shown, ...acts }: Acts & { shown: Member[] }) {
  return (
    <table class="table table--fixed table--people">
      <caption class="sr">Members</caption>
      <Heads words={['Member', 'Role', 'Keys', 'Agents', 'Signs in with', 'Last active']} acts />
      <tbody>
        {shown.map((member) => (
          <MemberRow key={member.id} of={member} {...acts} />
        ))}
      </tbody>
    </table>
  );
}
