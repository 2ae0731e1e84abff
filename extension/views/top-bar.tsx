import type { ComponentChildren } from 'preact';
import { navigate, openWorkspace, route } from '../state/route.ts';
import { isAdmin, me, workspace } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { Logo } from '../ui/marks.tsx';
import { useShortcuts } from '../ui/shortcuts.ts';
import { SectionTabs } from '../ui/tabs.tsx';
import { AccountMenu, WorkspaceMenu } from './menus.tsx';

/** The bar of the popup's first screens, with their sections. */
export function TopBar({ title, at, end }: { title: string; at: 'keys' | 'team'; end?: ComponentChildren }) {
  useShortcuts([{ key: 'o', words: 'Open the workspace page', run: () => void openWorkspace(route.peek()) }]);
  const sections = [
    { value: 'keys' as const, label: 'Keys' },
    ...(isAdmin.value ? [{ value: 'team' as const, label: 'Team' }] : []),
  ];
  return (
    <>
      <header class="topbar">
        <h1 class="sr" tabIndex={-1}>
          {title}
        </h1>
        {workspace.value ? <WorkspaceMenu /> : <Logo />}
        <span class="grow" />
        <Button
          variant="ghost"
          icon="expand"
          label="Open the workspace in a tab"
          onClick={() => void openWorkspace(route.peek())}
        />
        {me.value && <AccountMenu />}
      </header>
      <SectionTabs
        label="Sections"
        options={sections}
        value={at}
        onChange={(screen) => navigate({ screen })}
        end={end}
      />
    </>
  );
}
