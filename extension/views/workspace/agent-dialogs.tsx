import { ENROL_PERMISSION } from '../../../shared/agent-protocol.ts';
import type { Agent } from '../../../shared/contract/agents.ts';
import { removeAgent } from '../../state/agents.ts';
import { connection } from '../../state/connection.ts';
import { copy } from '../../state/secret.ts';
import { showToast } from '../../state/toasts.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Callout } from '../../ui/notice.tsx';
import { InstallerKey, useInstallerKey } from '../installer-key.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';

export function RemoveAgent({ of: agent, onClose, onDone }: { of: Agent; onClose: () => void; onDone: () => void }) {
  return (
    <ConfirmDialog
      title={`Remove ${agent.name}?`}
      subtitle={[agent.hostName, agent.platform].filter(Boolean).join(' · ')}
      act="Remove agent"
      acting="Removing"
      work={() => removeAgent(agent.id)}
      done={`${agent.name} removed`}
      failed="The agent was not removed"
      onClose={onClose}
      onDone={() => {
        onClose();
        onDone();
      }}
    >
      <p class="muted">
        Its connection ends at once and it can never connect again. To bring it back it has to be enrolled anew, with a
        working key.
      </p>
      {agent.state === 'connected' && (
        <Callout tone="bad" icon="pulse">
          <p>
            <b>It is running now.</b>
          </p>
        </Callout>
      )}
    </ConfirmDialog>
  );
}

/** What is typed on the device; the key is asked for there, so that it is in nobody's command history. */
const commands = (server: string) => `export HEEX_URL=${server}
read -rs HEEX_API_KEY && export HEEX_API_KEY
node heex-agent.mjs install
unset HEEX_API_KEY
node heex-agent.mjs run`;

/** How an agent comes to be here: it enrols itself, on its device. */
export function EnrolAgent({ onClose }: { onClose: () => void }) {
  const installer = useInstallerKey();
  const text = commands('origin' in connection.value ? connection.value.origin : '');
  const copyCommands = async () => {
    const done = await copy(text);
    showToast(done ? 'Commands copied' : 'Not copied', done ? 'ok' : 'bad');
  };
  return (
    <Dialog
      title="Enrol an agent"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            variant="primary"
            icon="plus"
            busy={installer.busy && 'Looking'}
            unavailable={installer.blocked}
            onClick={installer.start}
          >
            New key for it
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        <p class="muted">
          On its device, in bash or zsh, with a key that has the permission <code>{ENROL_PERMISSION}</code>. The second
          line asks for the key. It is used this once: the agent makes a key pair of its own, and appears here when it
          runs.
        </p>
        <div class="secret">
          <pre>
            <code>{text}</code>
          </pre>
          <div class="secret__bar">
            <Button variant="ghost" size="sm" icon="copy" onClick={() => void copyCommands()}>
              Copy
            </Button>
          </div>
        </div>
        <InstallerKey of={installer} />
      </div>
    </Dialog>
  );
}
