import '../ui/styles.css';
import type { ComponentChildren } from 'preact';
import { connection } from '../state/connection.ts';
import { type Route, route } from '../state/route.ts';
import { freshSecret } from '../state/secret.ts';
import { isAdmin } from '../state/workspace.ts';
import { InPanel, useTheme } from '../ui/page.tsx';
import { Toasts } from '../ui/toasts.tsx';
import { Connect } from './connect.tsx';
import { Reveal } from './reveal.tsx';
import { Shortcuts } from './shortcut-list.tsx';
import { Account } from './workspace/account.tsx';
import { Agents } from './workspace/agents.tsx';
import { Audit } from './workspace/audit.tsx';
import { Groups } from './workspace/groups.tsx';
import { WorkspaceKeys } from './workspace/keys.tsx';
import { Log } from './workspace/log.tsx';
import { Members } from './workspace/members.tsx';
import { Overview } from './workspace/overview.tsx';
import { hasPanel, KeyPanel } from './workspace/panel.tsx';
import { Settings } from './workspace/settings.tsx';
import { Shell } from './workspace/shell.tsx';

/** Pages of admins; to anybody else their addresses lead to the keys. */
const ADMIN: readonly Route['screen'][] = [
  'overview',
  'log',
  'members',
  'team',
  'remove',
  'groups',
  'audit',
  'settings',
];

function page({ screen, id }: Route): ComponentChildren {
  if (ADMIN.includes(screen) && !isAdmin.value) return <WorkspaceKeys key="keys" />;
  switch (screen) {
    case 'members':
    case 'team':
      return <Members key="members" />;
    case 'remove':
      return <Members key="members" {...(id ? { removing: id } : {})} />;
    case 'agents':
      return <Agents key="agents" />;
    case 'overview':
      return <Overview key="overview" />;
    case 'log':
      return <Log key="log" />;
    case 'groups':
      return <Groups key="groups" />;
    case 'audit':
      return <Audit key="audit" />;
    case 'settings':
      return <Settings key="settings" />;
    case 'account':
      return <Account key="account" />;
    default:
      return <WorkspaceKeys key="keys" />;
  }
}

/** A fresh secret comes before everything else, here as in the popup. */
function panel(): ComponentChildren {
  const fresh = freshSecret.value;
  if (fresh) {
    return (
      <aside class="panel panel--over" aria-label="New secret">
        <InPanel.Provider value={true}>
          <Reveal key={fresh.id} fresh={fresh} />
        </InPanel.Provider>
      </aside>
    );
  }
  return hasPanel(route.value.screen) && <KeyPanel />;
}

function Connected() {
  return (
    <Shell panel={panel()}>
      {page(route.value)}
      <Shortcuts />
    </Shell>
  );
}

/** The full tab: where the browser's permission is asked, and the place for everything that the popup is too small for. */
export function Workspace() {
  useTheme();
  const { status } = connection.value;
  if (status === 'loading') return null;
  if (status === 'connected') return <Connected />;
  return (
    <div class="center">
      <main class="center__card">
        <Connect />
      </main>
      {/* A secret that nobody has stored yet waits also where the session has ended. */}
      {freshSecret.value && panel()}
      <Toasts />
    </div>
  );
}
