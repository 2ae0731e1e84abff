import { useEffect, useState } from 'preact/hooks';
import { name as nameField } from '../../../shared/contract/fields.ts';
import { DEACTIVATIONS, type ScimSettings, type ScimToken } from '../../../shared/contract/scim.ts';
import type { Failure } from '../../messages/failure.ts';
import { createScimToken, editScim, readScim, removeScimToken } from '../../state/admin.ts';
import { copy } from '../../state/secret.ts';
import { showToast } from '../../state/toasts.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { Select, TextField } from '../../ui/field.tsx';
import { sentence } from '../../ui/field-errors.ts';
import { ago, count } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Prefix, Tag } from '../../ui/marks.tsx';
import { When } from '../../ui/when.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Heads } from './table-parts.tsx';

const DEACTIVATION_WORDS: Record<(typeof DEACTIVATIONS)[number], string> = {
  remove: 'Remove the member and revoke their keys',
  suspend: 'Suspend the member; their keys are refused meanwhile',
};

interface NewTokenProps {
  onClose: () => void;
  onMade: (secret: string) => void;
}

function NewToken({ onClose, onMade }: NewTokenProps) {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const act = async () => {
    const parsed = nameField.safeParse(typed);
    if (!parsed.success) return setError(sentence(parsed.error.issues[0]?.message ?? 'is not a name'));
    setBusy(true);
    const result = await createScimToken(parsed.data);
    setBusy(false);
    if (result.ok) onMade(result.value.secret);
    else setFailure(result.failure);
  };
  return (
    <Dialog
      title="New SCIM token"
      onClose={onClose}
      onSubmit={() => void act()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={busy && 'Creating'} onClick={() => void act()}>
            Create token
          </Button>
        </>
      }
    >
      <div class="stack">
        {failure && <FailureNote what="The token was not made" failure={failure} />}
        <TextField
          label="Identity provider"
          placeholder="Entra ID"
          value={typed}
          autoFocus
          error={error}
          onInput={(value) => {
            setTyped(value);
            setError(undefined);
          }}
        />
      </div>
    </Dialog>
  );
}

function RemoveToken({ of: token, onClose, onDone }: { of: ScimToken; onClose: () => void; onDone: () => void }) {
  return (
    <ConfirmDialog
      title={`Remove the token ${token.name}?`}
      act="Remove token"
      acting="Removing"
      work={() => removeScimToken(token.id)}
      done={`${token.name} removed`}
      failed="The token was not removed"
      onClose={onClose}
      onDone={onDone}
    >
      <p class="muted">
        From that moment the identity provider can’t add or remove anybody here. People who leave there stay here until
        somebody removes them.
      </p>
    </ConfirmDialog>
  );
}

function Tokens({ of: tokens, onRemove }: { of: ScimToken[]; onRemove: (token: ScimToken) => void }) {
  if (tokens.length === 0) return null;
  return (
    <div class="card card--table">
      <table class="table">
        <caption class="sr">SCIM tokens</caption>
        <Heads words={['Identity provider', 'Last call']} acts />
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td>
                <span class="cell">
                  <b class="semi">{token.name}</b>
                  <small>
                    <Prefix of={token.prefix} />
                  </small>
                </span>
              </td>
              <td class="small muted nowrap">
                {token.lastUsedAt ? <When at={token.lastUsedAt} words={ago} /> : 'never'}
              </td>
              <td class="r">
                <Button variant="ghost" size="sm" onClick={() => onRemove(token)}>
                  Remove<span class="sr"> {token.name}</span>
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whether it is connected, how long ago it was heard of, and how many people are its own. */
function ScimStatus({ of: { tokens, people } }: { of: ScimSettings }) {
  const calls = tokens.flatMap((token) => token.lastUsedAt ?? []).sort();
  const last = calls.at(-1);
  return (
    <div class="card card__body item">
      <span class="subtle">
        <Icon name="users" />
      </span>
      <div class="grow">
        <b class="semi">SCIM 2.0</b>
        <small class="truncate">
          {last ? (
            <>
              Last call <When at={last} words={ago} />
            </>
          ) : (
            // Of tokens that are gone no call is known any more.
            (tokens.length > 0 && 'Token not used yet') || 'No identity provider is connected'
          )}{' '}
          · {count(people, 'person', 'people')} provisioned
        </small>
      </div>
      {tokens.length > 0 ? (
        <Tag tone="ok" icon="check">
          On
        </Tag>
      ) : (
        <Tag>Off</Tag>
      )}
    </div>
  );
}

function useScim() {
  const [settings, setSettings] = useState<ScimSettings>();
  const [failure, setFailure] = useState<Failure>();
  const read = async () => {
    const result = await readScim();
    if (result.ok) setSettings(result.value);
    setFailure(result.ok ? undefined : result.failure);
  };
  const choose = async (deactivation: ScimSettings['deactivation']) => {
    const result = await editScim({ deactivation });
    if (result.ok) {
      setSettings(result.value);
      showToast('Saved');
    }
    setFailure(result.ok ? undefined : result.failure);
  };
  useEffect(() => {
    void read();
  }, []);
  return { settings, failure, read, choose };
}

/** Provisioning by the identity provider; owners only. */
export function ScimSetting() {
  const { settings, failure, read, choose } = useScim();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [removing, setRemoving] = useState<ScimToken>();
  const copyAddress = async () =>
    settings && showToast((await copy(settings.baseUrl)) ? 'SCIM address copied' : 'Not copied');
  return (
    <>
      {failure && <FailureNote what="SCIM can’t be shown or changed" failure={failure} />}
      {settings && (
        <>
          <ScimStatus of={settings} />
          <Select
            label="When the identity provider deactivates someone"
            value={settings.deactivation}
            options={DEACTIVATIONS.map((value) => ({ value, label: DEACTIVATION_WORDS[value] }))}
            hint="Deleting someone there always removes them here."
            onChange={(value) => void choose(value)}
          />
          <Tokens of={settings.tokens} onRemove={setRemoving} />
          <div class="row">
            <Button icon="plus" unavailable={offline.value && 'Needs the server'} onClick={() => setMaking(true)}>
              New token
            </Button>
            <Button icon="copy" onClick={() => void copyAddress()}>
              Copy SCIM address
            </Button>
          </div>
        </>
      )}
      {making && (
        <NewToken
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setSecret(made);
            void read();
          }}
        />
      )}
      {secret && (
        <SecretDialog title="The token was made" secret={secret} onClose={() => setSecret(undefined)}>
          Give it to the identity provider with the SCIM address. If you lose it, make another one.
        </SecretDialog>
      )}
      {removing && (
        <RemoveToken
          of={removing}
          onClose={() => setRemoving(undefined)}
          onDone={() => {
            setRemoving(undefined);
            void read();
          }}
        />
      )}
    </>
  );
}
