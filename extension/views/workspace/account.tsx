import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../../../shared/contract/people.ts';
import type { Failure } from '../../messages/failure.ts';
import { showFailure, showToast } from '../../state/toasts.ts';
import { endSession, listSessions, me, offline, workspace } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { ago, day, until } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { Tag } from '../../ui/marks.tsx';
import { When } from '../../ui/when.tsx';
import { RemoveSheet } from '../remove-sheet.tsx';
import { Page } from './shell.tsx';
import { Heads, ListState } from './table-parts.tsx';

const CLIENTS: Record<Session['client'], { icon: IconName; words: string }> = {
  web: { icon: 'globe', words: 'Browser' },
  extension: { icon: 'key', words: 'Extension' },
  cli: { icon: 'terminal', words: 'Terminal' },
  api: { icon: 'code', words: 'API' },
};

function Row({ of: session, onEnd }: { of: Session; onEnd: () => void }) {
  const { icon, words } = CLIENTS[session.client];
  return (
    <tr>
      <td>
        <span class="row" style="gap:10px">
          <span class="subtle">
            <Icon name={icon} />
          </span>
          <span class="cell">
            <span class="row" style="gap:6px">
              <b class="semi">{session.label || words}</b>
              {session.current && <Tag>This one</Tag>}
            </span>
            <small title={session.userAgent ?? undefined}>{words}</small>
          </span>
        </span>
      </td>
      <td>{session.ip ? <code>{session.ip}</code> : '—'}</td>
      <td>
        <When at={session.createdAt} words={day} />
      </td>
      <td>
        <When at={session.lastUsedAt} words={ago} />
      </td>
      <td>
        <When at={session.expiresAt} words={until} />
      </td>
      <td class="r">
        <Button
          variant="ghost"
          size="sm"
          unavailable={session.current && 'Disconnect this browser in the account menu'}
          onClick={onEnd}
        >
          End<span class="sr"> {session.label || words}</span>
        </Button>
      </td>
    </tr>
  );
}

const HEADS = ['Where', 'Address', 'Since', 'Last active', 'Ends'];

/** The way out for everybody: the list of members is for admins alone. */
function Membership() {
  const [leaving, setLeaving] = useState(false);
  const person = me.value;
  if (!person) return null;
  const { user, membership } = person;
  return (
    <section class="card card__body row row--between">
      <div class="grow">
        <h2 class="small semi truncate">{workspace.value?.name}</h2>
        <p class="small muted">Leaving revokes your keys at once. Agents that were enrolled with them keep running.</p>
      </div>
      <Button
        variant="danger-quiet"
        icon="logout"
        unavailable={offline.value && 'Needs the server'}
        onClick={() => setLeaving(true)}
      >
        Leave the workspace…
      </Button>
      {leaving && <RemoveSheet of={{ ...user, id: membership.id }} onClose={() => setLeaving(false)} />}
    </section>
  );
}

/** Browsers, extensions and command lines that are signed in as this person. */
export function Account() {
  const [sessions, setSessions] = useState<Session[]>();
  const [failure, setFailure] = useState<Failure>();
  const read = async () => {
    const result = await listSessions();
    if (result.ok) setSessions(result.value);
    setFailure(result.ok ? undefined : result.failure);
  };
  useEffect(() => {
    void read();
  }, []);
  const end = async (session: Session) => {
    const result = await endSession(session.id);
    if (!result.ok) return showFailure('The session was not ended', result.failure);
    showToast(`${session.label || CLIENTS[session.client].words} signed out`);
    void read();
  };
  return (
    <Page title="Browsers and terminals" about={<span class="small muted">where you are signed in</span>}>
      <div class="stack">
        <section class="card card--table">
          {sessions ? (
            <table class="table">
              <caption class="sr">Your sessions</caption>
              <Heads words={HEADS} acts />
              <tbody>
                {sessions.map((session) => (
                  <Row key={session.id} of={session} onEnd={() => void end(session)} />
                ))}
              </tbody>
            </table>
          ) : (
            <ListState
              what="Your sessions can’t be shown"
              loading={!failure}
              failure={failure}
              empty={null}
              onRetry={() => void read()}
            />
          )}
        </section>
        <Membership />
      </div>
    </Page>
  );
}
