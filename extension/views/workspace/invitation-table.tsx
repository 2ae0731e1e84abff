import type { TeamInvitation } from '../../messages/published.ts';
import { now } from '../../state/clock.ts';
import { withdrawInvitation } from '../../state/team.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { DAY, moment, ms, until } from '../../ui/format.ts';
import { When } from '../../ui/when.tsx';
import { CopyLink, SendAgain } from '../invite.tsx';
import { ROLE_WORDS } from '../menus.tsx';
import { Heads } from './table-parts.tsx';

function Row({ of: invitation }: { of: TeamInvitation }) {
  const soon = ms(invitation.expiresAt) - now.value < 2 * DAY;
  return (
    <tr>
      <td title={invitation.email}>
        <b class="semi">
          <span class="truncate">{invitation.email}</span>
        </b>
      </td>
      <td>{ROLE_WORDS[invitation.role]}</td>
      <td title={invitation.invitedBy.name}>{invitation.invitedBy.name}</td>
      <td>
        <When at={invitation.createdAt} words={moment} />
      </td>
      <td>
        <span class={soon ? 'warn semi' : undefined}>
          <When at={invitation.expiresAt} words={until} />
        </span>
      </td>
      <td class="r nowrap">
        {invitation.link && <CopyLink of={invitation} />}
        <SendAgain of={invitation} />
        <Button
          variant="ghost"
          size="sm"
          unavailable={offline.value && 'Needs the server'}
          onClick={() => void withdrawInvitation(invitation)}
        >
          Withdraw<span class="sr"> invitation for {invitation.email}</span>
        </Button>
      </td>
    </tr>
  );
}

/** Invitations that wait to be accepted. */
export function InvitationTable({ of: list }: { of: readonly TeamInvitation[] }) {
  return (
    <section class="card card--table">
      <div class="card__head">
        <h2>Invitations</h2>
        <span class="small subtle">{list.length} waiting</span>
      </div>
      <table class="table table--fixed table--invitations">
        <caption class="sr">Invitations</caption>
        <Heads words={['Sent to', 'Role', 'Invited by', 'Sent', 'Expires']} acts />
        <tbody>
          {list.map((invitation) => (
            <Row key={invitation.id} of={invitation} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
