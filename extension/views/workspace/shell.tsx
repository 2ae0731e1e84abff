import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { agentCounts, countAgents } from '../../state/agents.ts';
import { navigate, type Route, route, routePath } from '../../state/route.ts';
import { members, refreshTeam } from '../../state/team.ts';
import { isAdmin, me, workspace } from '../../state/workspace.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { Kbd } from '../../ui/kbd.tsx';
import { Avatar } from '../../ui/marks.tsx';
import { Toasts } from '../../ui/toasts.tsx';
import { AccountMenu, WorkspaceMenu } from '../menus.tsx';
import { openShortcuts } from '../shortcut-list.tsx';

interface Entry {
  screen: Route['screen'];
  icon: IconName;
  words: string;
  count?: number | undefined;
  /** Screens that lie on this one. */
  also?: readonly Route['screen'][];
}

function NavList({ entries, label }: { entries: readonly Entry[]; label?: string }) {
  const at = route.value.screen;
  return (
    <>
      {label && <div class="side__label">{label}</div>}
      <ul class="nav">
        {entries.map(({ screen, icon, words, count, also }) => (
          <li key={screen}>
            <a
              href={`#${routePath({ screen })}`}
              aria-current={at === screen || also?.includes(at) ? 'page' : undefined}
              onClick={(event) => {
                event.preventDefault();
                navigate({ screen });
              }}
            >
              <Icon name={icon} />
              {words}
              {count !== undefined && <span class="num">{count}</span>}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

function Side() {
  const admin = isAdmin.value;
  const workspaceId = workspace.value?.id;
  useEffect(() => {
    agentCounts.value = undefined;
    if (workspaceId === undefined) return;
    void countAgents();
    if (isAdmin.peek() && !members.peek()) void refreshTeam();
  }, [workspaceId]);
  const keys: Entry = {
    screen: 'keys',
    icon: 'key',
    words: 'Keys',
    count: workspace.value?.keysUsed,
    also: ['key', 'new', 'edit', 'rotate', 'revoke', 'connect'],
  };
  const overview: Entry = { screen: 'overview', icon: 'grid', words: 'Overview' };
  const log: Entry = { screen: 'log', icon: 'list', words: 'Request log' };
  const agents: Entry = { screen: 'agents', icon: 'agent', words: 'Agents', count: agentCounts.value?.total };
  return (
    <nav class="side" aria-label="Workspace">
      <WorkspaceMenu />
      <NavList entries={admin ? [overview, keys, agents, log] : [keys, agents]} />
      {admin && (
        <>
          <NavList
            label="Access"
            entries={[
              {
                screen: 'members',
                icon: 'users',
                words: 'Members',
                count: members.value?.length,
                also: ['team', 'remove'],
              },
              { screen: 'groups', icon: 'layers', words: 'Authorization groups' },
            ]}
          />
          <NavList
            label="Admin"
            entries={[
              { screen: 'audit', icon: 'chain', words: 'Audit log' },
              { screen: 'settings', icon: 'sliders', words: 'Settings' },
            ]}
          />
        </>
      )}
      <span class="grow" />
      <button type="button" class="side__help row small muted" onClick={openShortcuts}>
        <Icon name="help" />
        Keyboard shortcuts
        <span class="end">
          <Kbd keys="?" />
        </span>
      </button>
      <AccountMenu
        opener={
          <>
            <Avatar name={me.value?.user.name ?? ''} />
            <span class="truncate">{me.value?.user.name}</span>
            <Icon name="updown" />
          </>
        }
      />
    </nav>
  );
}

interface ShellProps {
  children: ComponentChildren;
  /** The panel at the right, beside which the page stays usable. */
  panel?: ComponentChildren;
}

/** The full tab: sections at the left, the page, and a panel that may lie over its right side. */
export function Shell({ children, panel }: ShellProps) {
  return (
    <>
      <button type="button" class="skip btn" onClick={toMain}>
        Skip to content
      </button>
      <div class="shell">
        <Side />
        <div class="main">
          {children}
          {panel}
          <Toasts />
        </div>
      </div>
    </>
  );
}

const toMain = () => document.getElementById('main')?.focus();

interface PageProps {
  title: string;
  /** Beside the title. */
  about?: ComponentChildren;
  /** At the right of the head. */
  acts?: ComponentChildren;
  /** A second bar: filters, or what is selected. */
  bar?: ComponentChildren;
  /** A table from edge to edge. */
  flush?: boolean;
  children: ComponentChildren;
}

export function Page({ title, about, acts, bar, flush, children }: PageProps) {
  return (
    <>
      <div>
        <header class="page-head">
          <h1>{title}</h1>
          {about}
          <span class="grow" />
          {acts}
        </header>
        {bar}
      </div>
      <main class={`page ${flush ? 'page--flush' : ''}`} id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
