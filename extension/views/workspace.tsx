import '../ui/styles.css';
import { connection } from '../state/connection.ts';
import { freshSecret } from '../state/secret.ts';
import { Callout } from '../ui/notice.tsx';
import { useTheme } from '../ui/page.tsx';
import { Toasts } from '../ui/toasts.tsx';
import { Connect } from './connect.tsx';
import { Popup } from './popup.tsx';

/** The full tab: where the browser's permission is asked, and the place for everything that the popup is too small for. */
export function Workspace() {
  useTheme();
  const { status } = connection.value;
  if (status === 'loading') return null;
  if (status !== 'connected') {
    return (
      <div class="center">
        <main class="center__card">
          <Connect />
        </main>
        <Toasts />
      </div>
    );
  }
  return (
    <div class="center center--popup">
      <div class="center__popup">
        <Popup />
      </div>
      {!freshSecret.value && (
        <Callout tone="ok" icon="ok">
          <p>This browser is connected. You can close this tab: your keys are in the toolbar popup.</p>
        </Callout>
      )}
    </div>
  );
}
