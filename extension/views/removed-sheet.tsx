import { forgetRemoved, type Removed } from '../state/team.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { count } from '../ui/format.ts';
import { Avatar } from '../ui/marks.tsx';
import { Breaks, CopyReport, Keeps } from './removal-parts.tsx';

/** After a removal that leaves work to do: what has to get another key. It stays until it is closed, also over a closed popup. */
export function RemovedSheet({ of: { preview, removal, connected } }: { of: Removed }) {
  const running = new Set(connected);
  const { member } = preview;
  return (
    <Dialog
      shape="sheet"
      full
      mark={<Avatar name={member.name} large />}
      title={`${member.name} was removed`}
      subtitle={`${count(removal.revokedKeys, 'key')} revoked · ${count(removal.endedSessions, 'session')} ended`}
      onClose={forgetRemoved}
      foot={
        <>
          <CopyReport of={preview} connected={running} />
          <Button variant="primary" onClick={forgetRemoved}>
            Done
          </Button>
        </>
      }
    >
      <div class="stack removal">
        <Breaks preview={preview} />
        <Keeps preview={{ ...preview, sessions: 0 }} connected={running} />
      </div>
    </Dialog>
  );
}
