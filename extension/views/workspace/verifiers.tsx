import { useEffect, useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../../shared/contract/errors.ts';
import { verifiers as contract, type VerifierCredential } from '../../../shared/contract/verifiers.ts';
import { ENVIRONMENTS, type Environment } from '../../../shared/key-format.ts';
import type { Failure } from '../../messages/failure.ts';
import { createVerifier, listVerifiers, removeVerifier } from '../../state/admin.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Segmented } from '../../ui/choice.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { Fieldset, TextField } from '../../ui/field.tsx';
import { errorsOf, focusFirstInvalid } from '../../ui/field-errors.ts';
import { ago } from '../../ui/format.ts';
import { Env, Prefix } from '../../ui/marks.tsx';
import { Callout } from '../../ui/notice.tsx';
import { When } from '../../ui/when.tsx';
import { fieldErrors } from '../key-form-model.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { Heads } from './table-parts.tsx';

function NewDialog({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (verifier: VerifierCredential, secret: string) => void;
}) {
  const form = useRef<HTMLDivElement>(null);
  const [name, setName] = useState('');
  const [environment, setEnvironment] = useState<Environment>('production');
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    focusFirstInvalid(form.current);
  };
  const act = async () => {
    if (busy) return;
    const parsed = contract.createVerifier.body.safeParse({ name, environment });
    if (!parsed.success) return refuse(fieldErrors(parsed.error.issues));
    setBusy(true);
    const result = await createVerifier(parsed.data);
    setBusy(false);
    if (result.ok && result.value.secret) return onMade(result.value.verifier, result.value.secret);
    if (!result.ok) {
      refuse(result.failure.errors ?? []);
      setFailure(result.failure.errors ? undefined : result.failure);
    }
  };
  return (
    <Dialog
      title="New verifier"
      onClose={onClose}
      onSubmit={() => void act()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={busy && 'Creating'} onClick={() => void act()}>
            Create verifier
          </Button>
        </>
      }
    >
      <div class="stack" ref={form}>
        {failure && <FailureNote what="The verifier was not made" failure={failure} />}
        <TextField
          label="Service"
          name="name"
          placeholder="events-gateway"
          value={name}
          autoFocus
          error={errorsOf(errors, 'name')}
          hint="The service or gateway that will check keys with it."
          onInput={(value) => {
            setName(value);
            setErrors([]);
          }}
        />
        <Fieldset label="Environment" hint="It accepts keys of this environment only.">
          <Segmented
            label="Environment"
            value={environment}
            options={ENVIRONMENTS.map((value) => ({ value, label: <Env of={value} /> }))}
            onChange={setEnvironment}
          />
        </Fieldset>
      </div>
    </Dialog>
  );
}

function RemoveDialog({
  of: verifier,
  onClose,
  onDone,
}: {
  of: VerifierCredential;
  onClose: () => void;
  onDone: () => void;
}) {
  return (
    <ConfirmDialog
      title={`Remove ${verifier.name}?`}
      act="Remove verifier"
      acting="Removing"
      work={() => removeVerifier(verifier.id)}
      done={`${verifier.name} removed`}
      failed="The verifier was not removed"
      onClose={onClose}
      onDone={onDone}
    >
      <p class="muted">
        A service that still checks keys with it can’t check any key from that moment, and will refuse its callers.
      </p>
      <Callout tone={verifier.lastUsedAt ? 'bad' : 'plain'} icon={verifier.lastUsedAt ? 'pulse' : 'info'}>
        <p>
          {verifier.lastUsedAt ? (
            <>
              Last used <When at={verifier.lastUsedAt} words={ago} />.
            </>
          ) : (
            'It was never used.'
          )}
        </p>
      </Callout>
    </ConfirmDialog>
  );
}

function Table({ list, onRemove }: { list: VerifierCredential[]; onRemove: (verifier: VerifierCredential) => void }) {
  return (
    <div class="card card--table">
      <table class="table">
        <caption class="sr">Verifier credentials</caption>
        <Heads words={['Service', 'Environment', 'Last check']} acts />
        <tbody>
          {list.map((verifier) => (
            <tr key={verifier.id}>
              <td>
                <span class="cell">
                  <b class="semi">{verifier.name}</b>
                  <small>
                    <Prefix of={verifier.prefix} />
                  </small>
                </span>
              </td>
              <td class="small">
                <Env of={verifier.environment} />
              </td>
              <td class="small muted">
                {verifier.lastUsedAt ? <When at={verifier.lastUsedAt} words={ago} /> : 'never'}
              </td>
              <td class="r nowrap">
                <Button variant="ghost" size="sm" onClick={() => onRemove(verifier)}>
                  Remove<span class="sr"> {verifier.name}</span>
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Credentials of the services that check keys. */
export function Verifiers() {
  const [list, setList] = useState<VerifierCredential[]>();
  const [failure, setFailure] = useState<Failure>();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ verifier: VerifierCredential; secret: string }>();
  const [removing, setRemoving] = useState<VerifierCredential>();
  const read = async () => {
    const result = await listVerifiers();
    if (result.ok) setList(result.value);
    setFailure(result.ok ? undefined : result.failure);
  };
  useEffect(() => {
    void read();
  }, []);
  return (
    <>
      {failure && <FailureNote what="The verifiers can’t be shown" failure={failure} />}
      {list && list.length > 0 && <Table list={list} onRemove={setRemoving} />}
      {list?.length === 0 && <p class="small muted">No service checks keys yet.</p>}
      <div>
        <Button icon="plus" unavailable={offline.value && 'Needs the server'} onClick={() => setMaking(true)}>
          New verifier
        </Button>
      </div>
      {making && (
        <NewDialog
          onClose={() => setMaking(false)}
          onMade={(verifier, secret) => {
            setMaking(false);
            setMade({ verifier, secret });
            void read();
          }}
        />
      )}
      {made && (
        <SecretDialog title={`${made.verifier.name} was made`} secret={made.secret} onClose={() => setMade(undefined)}>
          If you lose it, make another verifier and remove this one. The service sends it as{' '}
          <code>Authorization: Bearer</code>.
        </SecretDialog>
      )}
      {removing && (
        <RemoveDialog
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
