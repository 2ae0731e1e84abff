import { useEffect } from 'preact/hooks';
import { type Route, route } from '../../state/route.ts';
import { InPanel } from '../../ui/page.tsx';
import { EditKey } from '../edit-key.tsx';
import { KeyDetail } from '../key-detail.tsx';
import { NewKey } from '../new-key.tsx';
import { Rotate } from '../rotate.tsx';

const PANEL_SCREENS: readonly Route['screen'][] = ['key', 'revoke', 'edit', 'rotate', 'new'];
export const hasPanel = (screen: Route['screen']) => PANEL_SCREENS.includes(screen);

function content({ screen, id = '' }: Route) {
  switch (screen) {
    case 'new':
      return <NewKey key="new" />;
    case 'edit':
      return <EditKey key={`edit ${id}`} id={id} />;
    case 'rotate':
      return <Rotate key={`rotate ${id}`} id={id} />;
    default:
      return <KeyDetail key={id} id={id} revoking={screen === 'revoke'} />;
  }
}

/** One key beside the list, which stays usable: the same screens as in the popup. */
export function KeyPanel() {
  const at = route.value;
  useEffect(() => {
    // Closed, the focus goes back to where the key was chosen.
    return () => document.querySelector<HTMLElement>(`[data-key="${CSS.escape(at.id ?? '')}"]`)?.focus();
  }, [at.id]);
  return (
    <aside class="panel" aria-label={at.screen === 'new' ? 'New key' : 'Key'}>
      <InPanel.Provider value={true}>{content(at)}</InPanel.Provider>
    </aside>
  );
}
