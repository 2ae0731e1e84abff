import { useEffect } from 'preact/hooks';
import type { Member } from '../../shared/contract/members.ts';
import { allKeys } from '../state/keys.ts';
import { navigate } from '../state/route.ts';
import { invitations, liveKeysOf, members, refreshTeam, removed, teamFailure, teamRefreshing } from '../state/team.ts';
import { me, workspace } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { count } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Avatar, Tag } from '../ui/marks.tsx';
import { MenuItem, useMenu } from '../ui/menu.tsx';
import { SkeletonRows } from '../ui/notice.tsx';
import { PopupPage } from '../ui/page.tsx';
import { InvitationRow, InviteForm } from './invite.tsx';
import { ROLE_WORDS } from './menus.tsx';
import { RemoveSheet } from './remove-sheet.tsx';
import { RemovedSheet } from './removed-sheet.tsx';
import { whyNotRemove } from './team-rules.ts';
import { TopBar } from './top-bar.tsx';

/** One's own row: leaving is possible, but not by a slip. */
function OwnMenu({ of: member }: { of: Member }) {
  const menu = useMenu();
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        icon="more"
        label="Your membership"
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({
        label: 'Your membership',
        align: 'end',
        children: (
          <MenuItem
            icon="logout"
            danger
            unavailable={whyNotRemove(member)}
            onSelect={menu.choose(() => navigate({ screen: 'remove', id: member.id }))}
          >
            Leave the workspace…
          </MenuItem>
        ),
      })}
    </>
  );
}

function MemberRow({ of: member }: { of: Member }) {
  const own = member.id === me.value?.membership.id;
  const keys = allKeys.value ? liveKeysOf(member.id) : undefined;
  return (
    <li class="item person">
      <Avatar name={member.name} large />
      <div class="grow">
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
      </div>
      <div class="person__role">
        <span class="small">{ROLE_WORDS[member.role]}</span>
        {keys !== undefined && <small>{count(keys, 'key')}</small>}
      </div>
      {own ? (
        <OwnMenu of={member} />
      ) : (
        <Button
          variant="ghost"
          size="sm"
          icon="user-minus"
          label={`Remove ${member.name}`}
          unavailable={whyNotRemove(member)}
          onClick={() => navigate({ screen: 'remove', id: member.id })}
        />
      )}
    </li>
  );
}

function Lists() {
  const people = members.value;
  const invited = invitations.value ?? [];
  if (!people) {
    return teamFailure.value ? (
      <div class="popup__pad stack">
        <FailureNote what="The team can’t be shown" failure={teamFailure.value} />
        <Button icon="refresh" busy={teamRefreshing.value && 'Trying'} onClick={() => void refreshTeam()}>
          Try again
        </Button>
      </div>
    ) : (
      <SkeletonRows />
    );
  }
  return (
    <>
      <h2 class="group-label">
        Members<span class="num">{people.length}</span>
      </h2>
      <ul class="list">
        {people.map((member) => (
          <MemberRow key={member.id} of={member} />
        ))}
      </ul>
      {invited.length > 0 && (
        <>
          <h2 class="group-label group-label--below">
            Invited<span class="num">{invited.length}</span>
          </h2>
          <ul class="list">
            {invited.map((invitation) => (
              <InvitationRow key={invitation.id} of={invitation} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** Who is in the workspace, for owners and admins: invite, withdraw, remove. */
export function Team({ removing }: { removing?: string }) {
  const workspaceId = workspace.value?.id;
  // Each workspace has a team of its own.
  useEffect(() => {
    void refreshTeam();
  }, [workspaceId]);
  const leaving = removing === undefined ? undefined : members.value?.find((member) => member.id === removing);
  return (
    <PopupPage
      scrollName="team"
      quiet
      top={<TopBar title="Team" at="team" />}
      foot={
        <>
          <Icon name="info" class="icon--sm" />
          <span>Removal revokes keys. Agents keep running.</span>
        </>
      }
      over={
        leaving ? <RemoveSheet key={leaving.id} of={leaving} /> : removed.value && <RemovedSheet of={removed.value} />
      }
    >
      <InviteForm />
      <Lists />
    </PopupPage>
  );
}
