import '../ui/styles.css';
import type { ComponentChildren } from 'preact';
import { connection } from '../state/connection.ts';
import { route } from '../state/route.ts';
import { freshSecret } from '../state/secret.ts';
import { isAdmin } from '../state/workspace.ts';
import { Icon } from '../ui/icon.tsx';
import { PopupPage, useTheme } from '../ui/page.tsx';
import { Connect } from './connect.tsx';
import { EditKey } from './edit-key.tsx';
import { KeyDetail } from './key-detail.tsx';
import { Keys } from './keys.tsx';
import { NewKey } from './new-key.tsx';
import { Reveal } from './reveal.tsx';
import { Rotate } from './rotate.tsx';
import { Shortcuts } from './shortcut-list.tsx';
import { Team } from './team.tsx';

function ConnectPage() {
  const quiet = connection.value.status === 'disconnected' && (
    <>
      <Icon name="lock" class="icon--sm" />
      <span>Nothing is sent until you press Connect</span>
    </>
  );
  return (
    <PopupPage foot={quiet} quiet>
      <div class="popup__pad connect">
        <Connect />
      </div>
    </PopupPage>
  );
}

// One form through all of these, so that what is typed and the focus stay.
const FORM = new Set(['disconnected', 'reaching', 'unreachable', 'not_approved']);

/** The screen that the route names; each has a key of its own, so that nothing of one stays in the next. */
function screen(): ComponentChildren {
  const { screen: name, id = '' } = route.value;
  switch (name) {
    case 'new':
      return <NewKey key="new" />;
    case 'key':
      return <KeyDetail key={id} id={id} />;
    case 'revoke':
      return <KeyDetail key={id} id={id} revoking />;
    case 'edit':
      return <EditKey key={`edit ${id}`} id={id} />;
    case 'rotate':
      return <Rotate key={`rotate ${id}`} id={id} />;
    case 'team':
    case 'members':
      return isAdmin.value ? <Team key="team" /> : <Keys key="keys" />;
    case 'remove':
      return isAdmin.value ? <Team key="team" removing={id} /> : <Keys key="keys" />;
    default:
      return <Keys key="keys" />;
  }
}

/** The toolbar popup. A secret that nobody has stored yet comes before everything else. */
export function Popup() {
  useTheme();
  const { status } = connection.value;
  if (status === 'loading') return <PopupPage>{null}</PopupPage>;
  if (freshSecret.value) return <Reveal key={freshSecret.value.id} fresh={freshSecret.value} />;
  if (status !== 'connected') return <ConnectPage key={FORM.has(status) ? 'form' : status} />;
  return (
    <>
      {screen()}
      <Shortcuts />
    </>
  );
}
