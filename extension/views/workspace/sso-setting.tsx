import { useEffect, useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../../shared/contract/errors.ts';
import { sso as contract, type SsoAnswer } from '../../../shared/contract/identity.ts';
import type { Failure } from '../../messages/failure.ts';
import { readSso, removeSso, saveSso } from '../../state/admin.ts';
import { copy } from '../../state/secret.ts';
import { showToast } from '../../state/toasts.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { TextArea, TextField } from '../../ui/field.tsx';
import { errorsOf, focusFirstInvalid, lineErrors, readLines } from '../../ui/field-errors.ts';
import { Icon } from '../../ui/icon.tsx';
import { Tag } from '../../ui/marks.tsx';
import { fieldErrors } from '../key-form-model.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';

interface Typed {
  issuer: string;
  clientId: string;
  clientSecret: string;
  name: string;
  domains: string;
}

const typedOf = ({ sso }: SsoAnswer): Typed => ({
  issuer: sso?.issuer ?? '',
  clientId: sso?.clientId ?? '',
  clientSecret: '',
  name: sso?.name ?? '',
  domains: sso?.domains.join('\n') ?? '',
});

const bodyOf = ({ issuer, clientId, clientSecret, name, domains }: Typed) => ({
  issuer: issuer.trim(),
  clientId,
  ...(clientSecret ? { clientSecret } : {}),
  ...(name.trim() ? { name } : {}),
  domains: readLines(domains).entries,
});

function useSsoForm(answer: SsoAnswer, onSaved: (answer: SsoAnswer) => void) {
  const form = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState(typedOf(answer));
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<Typed>) => {
    setTyped({ ...typed, ...part });
    setErrors([]);
  };
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    focusFirstInvalid(form.current);
  };
  const save = async () => {
    if (busy) return;
    const parsed = contract.saveSso.body.safeParse(bodyOf(typed));
    if (!parsed.success) return refuse(fieldErrors(parsed.error.issues));
    setBusy(true);
    const result = await saveSso(parsed.data);
    setBusy(false);
    if (result.ok) return onSaved(result.value);
    refuse(result.failure.errors ?? []);
    setFailure(result.failure.errors ? undefined : result.failure);
  };
  return { form, typed, change, errors, failure, busy, save };
}

interface EditProps {
  answer: SsoAnswer;
  onClose: () => void;
  onSaved: (answer: SsoAnswer) => void;
}

function EditDialog({ answer, onClose, onSaved }: EditProps) {
  const { form, typed, change, errors, failure, busy, save } = useSsoForm(answer, onSaved);
  return (
    <Dialog
      title="Single sign-on"
      onClose={onClose}
      onSubmit={() => void save()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" busy={busy && 'Saving'} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack" ref={form}>
        {failure && <FailureNote what="Single sign-on was not saved" failure={failure} />}
        <TextField
          label="Issuer"
          type="url"
          name="issuer"
          placeholder="https://login.example.com"
          value={typed.issuer}
          autoFocus
          error={errorsOf(errors, 'issuer')}
          hint="The address of your OpenID Connect provider."
          onInput={(issuer) => change({ issuer })}
        />
        <TextField
          label="Client id"
          name="clientId"
          value={typed.clientId}
          error={errorsOf(errors, 'clientId')}
          onInput={(clientId) => change({ clientId })}
        />
        <TextField
          label="Client secret"
          {...(answer.sso ? { aside: 'Stored' } : {})}
          name="clientSecret"
          type="password"
          autocomplete="new-password"
          value={typed.clientSecret}
          error={errorsOf(errors, 'clientSecret')}
          hint={answer.sso ? 'Leave empty to keep the stored one.' : undefined}
          onInput={(clientSecret) => change({ clientSecret })}
        />
        <TextField
          label="Button"
          aside="Optional"
          name="name"
          placeholder="Acme login"
          value={typed.name}
          error={errorsOf(errors, 'name')}
          hint="People read “Continue with …”."
          onInput={(name) => change({ name })}
        />
        <TextArea
          label="Domains that join by themselves"
          aside="One per line"
          name="domains"
          mono
          value={typed.domains}
          error={lineErrors(errors, 'domains', typed.domains).map(({ words }) => words)}
          hint="People with a verified address there become members at their first sign-in. Empty: by invitation only."
          onInput={(domains) => change({ domains })}
        />
      </div>
    </Dialog>
  );
}

function RemoveDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  return (
    <ConfirmDialog
      title="Turn single sign-on off?"
      act="Turn off"
      acting="Turning off"
      work={() => removeSso()}
      done="Single sign-on is off"
      failed="Nothing was changed"
      onClose={onClose}
      onDone={onDone}
    >
      <p class="muted">
        People who sign in by it alone can’t sign in any more until they have a password or a passkey. Keys and sessions
        stay. The client secret is forgotten.
      </p>
    </ConfirmDialog>
  );
}

const aboutSso = ({ issuer, domains }: NonNullable<SsoAnswer['sso']>): string =>
  `${new URL(issuer).host} · ${domains.length > 0 ? `open to people of ${domains.join(', ')}` : 'by invitation only'}`;

/** Sign-in by the identity provider of the company; owners only. */
export function SsoSetting() {
  const [answer, setAnswer] = useState<SsoAnswer>();
  const [failure, setFailure] = useState<Failure>();
  const [open, setOpen] = useState<'edit' | 'remove'>();
  const read = async () => {
    const result = await readSso();
    if (result.ok) setAnswer(result.value);
    setFailure(result.ok ? undefined : result.failure);
  };
  useEffect(() => {
    void read();
  }, []);
  if (failure) return <FailureNote what="Single sign-on can’t be shown" failure={failure} />;
  if (!answer) return <p class="small muted">Loading…</p>;
  const off = offline.value && 'Needs the server';
  const copyRedirect = async () =>
    showToast((await copy(answer.redirectUri)) ? 'Redirect address copied' : 'Not copied');
  return (
    <>
      <div class="card card__body item">
        <span class="subtle">
          <Icon name="building" />
        </span>
        <div class="grow">
          <b class="semi">OpenID Connect</b>
          <small class="truncate" title={answer.sso?.issuer}>
            {answer.sso ? aboutSso(answer.sso) : 'People sign in with a password or a passkey.'}
          </small>
        </div>
        {answer.sso && (
          <Tag tone="ok" icon="check">
            On
          </Tag>
        )}
        <Button size="sm" unavailable={off} onClick={() => setOpen('edit')}>
          {answer.sso ? 'Edit' : 'Set up'}
        </Button>
        {answer.sso && (
          <Button size="sm" variant="danger-quiet" unavailable={off} onClick={() => setOpen('remove')}>
            Turn off
          </Button>
        )}
      </div>
      <div class="row">
        <Button icon="copy" onClick={() => void copyRedirect()}>
          Copy redirect address
        </Button>
      </div>
      {open === 'edit' && (
        <EditDialog
          answer={answer}
          onClose={() => setOpen(undefined)}
          onSaved={(saved) => {
            setAnswer(saved);
            setOpen(undefined);
            showToast('Single sign-on is on');
          }}
        />
      )}
      {open === 'remove' && (
        <RemoveDialog
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined);
            void read();
          }}
        />
      )}
    </>
  );
}
