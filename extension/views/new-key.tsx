import { useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../shared/contract/errors.ts';
import type { Environment } from '../../shared/key-format.ts';
import { ENVIRONMENTS } from '../../shared/key-format.ts';
import type { Failure } from '../messages/failure.ts';
import { now } from '../state/clock.ts';
import { EMPTY_NEW_KEY, type NewKeyDraft, newKeyDraft } from '../state/drafts.ts';
import { createKey } from '../state/keys.ts';
import { back, replaceFrom } from '../state/route.ts';
import { workspace } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { Segmented } from '../ui/choice.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { Fieldset } from '../ui/field.tsx';
import { errorsOf, focusFirstInvalid } from '../ui/field-errors.ts';
import { count } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Env } from '../ui/marks.tsx';
import { PopupPage, TitleBar } from '../ui/page.tsx';
import { useShortcuts } from '../ui/shortcuts.ts';
import { ExpiryField, maxLifetime } from './expiry-field.tsx';
import { AdvancedFields, DescriptionField, GroupField, NameField, useGroups } from './key-form.tsx';
import { createBodyOf, draftErrors } from './key-form-model.ts';
import { whyNoNewKey } from './keys-states.tsx';

const change = (part: Partial<NewKeyDraft>) => {
  newKeyDraft.value = { ...newKeyDraft.value, ...part };
};

const ADVANCED = ['technicalOwner', 'ipAllowlist', 'rateLimit', 'customers'];

/** A refusal that belongs to a field, though the server says it by its code. */
function errorsIn(failure: Failure): FieldError[] {
  if (failure.code === 'name_taken') return [{ path: 'name', message: 'You already have a live key of that name' }];
  return failure.errors ?? [];
}

function useNewKey() {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    if (wrong.some(({ path }) => ADVANCED.includes(path.split(/[.[]/)[0] ?? ''))) change({ advancedOpen: true });
    focusFirstInvalid(form.current);
  };
  const submit = async (event?: Event) => {
    event?.preventDefault();
    if (busy || whyNoNewKey()) return;
    setFailure(undefined);
    const draft = newKeyDraft.value;
    const body = createBodyOf(draft, maxLifetime(), now.value);
    const wrong = draftErrors(draft, body, now.value);
    if (wrong.length > 0) return refuse(wrong);
    setBusy(true);
    const result = await createKey(body);
    setBusy(false);
    if (result.ok) {
      // Another one may have been begun meanwhile.
      if (newKeyDraft.value === draft) newKeyDraft.value = EMPTY_NEW_KEY;
      replaceFrom({ screen: 'new' }, { screen: 'keys' });
      return;
    }
    const inFields = errorsIn(result.failure);
    refuse(inFields);
    if (inFields.length === 0) setFailure(result.failure);
  };
  // A field that is being changed is no longer judged; the others stay marked.
  const edit = (part: Partial<NewKeyDraft>) => {
    change(part);
    const touched = Object.keys(part).map((field) => (field.startsWith('expir') ? 'expiresAt' : field));
    setErrors(errors.filter(({ path }) => !touched.includes(path.split(/[.[]/)[0] ?? '')));
  };
  return { form, errors, failure, busy, submit, edit };
}

function EnvironmentField({ value, onChange }: { value: Environment; onChange: (value: Environment) => void }) {
  return (
    <Fieldset label="Environment" hint="A key works in this environment only.">
      <Segmented
        label="Environment"
        value={value}
        options={ENVIRONMENTS.map((environment) => ({ value: environment, label: <Env of={environment} /> }))}
        onChange={onChange}
      />
    </Fieldset>
  );
}

/** What the closed part holds. */
function advancedSummary(draft: NewKeyDraft): string {
  const lines = draft.ipAllowlist.split('\n').filter((line) => line.trim() !== '').length;
  const rate = draft.rateLimit.split('/')[0];
  return `${lines === 0 ? 'Any IP' : count(lines, 'address', 'addresses')} · ${rate ? `${rate} requests` : 'no rate limit'}`;
}

function Foot({ errors, busy, submit }: { errors: readonly FieldError[]; busy: boolean; submit: () => void }) {
  const current = workspace.value;
  const place = current && `Will be key ${current.keysUsed + 1} of ${current.keyLimit}`;
  return (
    <>
      <span class="small muted grow truncate" role="status" title={errors.length > 0 ? undefined : place}>
        {errors.length > 0 ? <span class="bad">{count(errors.length, 'thing')} to fix</span> : place}
      </span>
      <Button variant="ghost" onClick={back}>
        Cancel
      </Button>
      <Button variant="primary" kbd="Mod+Enter" busy={busy && 'Creating'} unavailable={whyNoNewKey()} onClick={submit}>
        Create and copy
      </Button>
    </>
  );
}

/** A key of one's own. What was typed is there again when the popup was closed in between. */
export function NewKey() {
  const draft = newKeyDraft.value;
  const groups = useGroups();
  const { form, errors, failure, busy, submit, edit } = useNewKey();
  const parts = { fields: draft, errors, onChange: edit };
  useShortcuts([{ key: 'Mod+Enter', words: 'Create and copy', typing: true, run: () => void submit() }]);
  return (
    <PopupPage
      scrollName="new"
      top={<TitleBar title="New key" />}
      foot={<Foot errors={errors} busy={busy} submit={() => void submit()} />}
    >
      <form class="popup__pad stack" style="--gap:18px" novalidate ref={form} onSubmit={(e) => void submit(e)}>
        {failure && <FailureNote what="The key was not created" failure={failure} />}
        <NameField {...parts} focus />
        <EnvironmentField value={draft.environment} onChange={(environment) => edit({ environment })} />
        {groups && <GroupField {...parts} groups={groups} />}
        <ExpiryField fields={draft} errors={errors} onChange={edit} />
        <DescriptionField {...parts} />
        <div class="row row--between">
          <button
            type="button"
            class="link link--quiet semi"
            aria-expanded={draft.advancedOpen}
            onClick={() => change({ advancedOpen: !draft.advancedOpen })}
          >
            <Icon name={draft.advancedOpen ? 'down' : 'right'} />
            Advanced
          </button>
          {!draft.advancedOpen && <span class="small subtle truncate">{advancedSummary(draft)}</span>}
        </div>
        {draft.advancedOpen && <AdvancedFields {...parts} />}
        {errorsOf(errors, 'environment').length > 0 && <p class="field__error">{errorsOf(errors, 'environment')[0]}</p>}
        {/* ↵ in a field submits only where there is a submit button. */}
        <button type="submit" class="sr" tabIndex={-1} aria-hidden="true">
          Create
        </button>
      </form>
    </PopupPage>
  );
}
