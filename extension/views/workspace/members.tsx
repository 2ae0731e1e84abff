import { useEffect, useState } from 'preact/hooks';
import type { Member } from '../../../shared/contract/members.ts';
import { invitations, members, refreshTeam, removed, teamFailure, teamRefreshing } from '../../state/team.ts';
import { workspace } from '../../state/workspace.ts';
import { count } from '../../ui/format.ts';
import { useShortcuts } from '../../ui/shortcuts.ts';
import { InviteForm } from '../invite.tsx';
import { RemoveSheet } from '../remove-sheet.tsx';
import { RemovedSheet } from '../removed-sheet.tsx';
import { InvitationTable } from './invitation-table.tsx';
import { type Change, ChangeDialog, ResetDialog } from './member-dialogs.tsx';
import { MemberTable } from './member-table.tsx';
import { Page } from './shell.tsx';
import { focusSearch, ListState, SearchBox } from './table-parts.tsx';

/** Who is in the workspace, and who is invited. */
export function Members({ removing }: { removing?: string }) {
  const [search, setSearch] = useState('');
  const [change, setChange] = useState<Change>();
  const [resetting, setResetting] = useState<Member>();
  const workspaceId = workspace.value?.id;
  // Each workspace has a team of its own.
  useEffect(() => {
    void refreshTeam();
  }, [workspaceId]);
  useShortcuts([{ key: '/', words: 'Search', run: focusSearch }]);
  const text = search.trim().toLowerCase();
  const all = members.value;
  const shown = all?.filter((m) => `${m.name} ${m.email}`.toLowerCase().includes(text));
  const leaving = all?.find((member) => member.id === removing);
  return (
    <Page
      title="Members"
      about={all && <span class="small muted">{count(all.length, 'member')}</span>}
      acts={
        <div class="page-search">
          <SearchBox label="Search members" hint="Search members" value={search} onInput={setSearch} />
        </div>
      }
    >
      <div class="stack">
        <section class="card card--form">
          <InviteForm />
        </section>
        <section class="card card--table">
          {shown && shown.length > 0 ? (
            <MemberTable shown={shown} onChange={setChange} onReset={setResetting} />
          ) : (
            <ListState
              what="The team can’t be shown"
              loading={teamRefreshing.value && !all}
              failure={all ? undefined : (teamFailure.value ?? undefined)}
              empty={<p class="page__note muted">Nobody matches.</p>}
              onRetry={() => void refreshTeam()}
            />
          )}
        </section>
        {(invitations.value?.length ?? 0) > 0 && <InvitationTable of={invitations.value ?? []} />}
      </div>
      {leaving && <RemoveSheet key={leaving.id} of={leaving} />}
      {!leaving && removed.value && <RemovedSheet of={removed.value} />}
      {resetting && <ResetDialog of={resetting} onClose={() => setResetting(undefined)} />}
      {change && <ChangeDialog of={change} onClose={() => setChange(undefined)} />}
    </Page>
  );
}
