import { useEffect, useRef, useState } from 'preact/hooks';
import type { FieldError } from '../../shared/contract/errors.ts';
import type { Group } from '../../shared/contract/groups.ts';
import { editKeyBody, type Key } from '../../shared/contract/keys.ts';
import type { Failure } from '../messages/failure.ts';
import { editDraft } from '../state/drafts.ts';
import { editKey, findKey } from '../state/keys.ts';
import { backFrom, replaceRoute } from '../state/route.ts';
import { showToast } from '../state/toasts.ts';
import { offline, refreshing } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { FailureNote } from '../ui/failure-note.tsx';
import { focusFirstInvalid } from '../ui/field-errors.ts';
import { count } from '../ui/format.ts';
import { Callout } from '../ui/notice.tsx';
import { PopupPage, TitleBar } from '../ui/page.tsx';
import { useShortcuts } from '../ui/shortcuts.ts';
import { KeyDetail } from './key-detail.tsx';
import { AdvancedFields, DescriptionField, GroupField, NameField, useGroups } from './key-form.tsx';
import { changesOf, type FormFields, fieldErrors, fieldsOf } from './key-form-model.ts';

/** What was typed before the popup closed. */
const touched = (key: Key): Partial<FormFields> =>
  editDraft.value?.keyId === key.id ? (editDraft.value.fields as Partial<FormFields>) : {};

/**
 * Whether the form was sent and closed before the answer, and the key is not as it says. Where it is, it is left.
 * @param isDone whether the key is as the form says
 */
function useSent(keyId: string, isDone: boolean, leave: () => void): boolean {
  const [wasSent] = useState(editDraft.value?.keyId === keyId && editDraft.value.sent === true);
  const left = wasSent && isDone;
  useEffect(() => {
    if (left) leave();
  }, [left]);
  return wasSent && !isDone && !refreshing.value;
}

function useEdit(key: Key, groups: readonly Group[] | undefined) {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const before = fieldsOf(key, groups);
  const fields = { ...before, ...touched(key) };
  const change = (part: Partial<FormFields>) => {
    editDraft.value = { keyId: key.id, fields: { ...touched(key), ...part } };
    setErrors(errors.filter(({ path }) => !Object.keys(part).includes(path.split(/[.[]/)[0] ?? '')));
  };
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    focusFirstInvalid(form.current);
  };
  const leave = () => {
    editDraft.value = null;
    backFrom({ screen: 'edit', id: key.id });
  };
  const sent = useSent(key.id, Object.keys(changesOf(fields, before)).length === 0, leave);
  const save = async (event?: Event) => {
    event?.preventDefault();
    if (busy || offline.value) return;
    const body = changesOf(fields, before);
    if (Object.keys(body).length === 0) return leave();
    const parsed = editKeyBody.safeParse(body);
    if (!parsed.success) return refuse(fieldErrors(parsed.error.issues));
    setFailure(undefined);
    setBusy(true);
    editDraft.value = { keyId: key.id, fields: touched(key), sent: true };
    const result = await editKey(key.id, body);
    setBusy(false);
    if (result.ok) {
      showToast('Saved');
      return leave();
    }
    editDraft.value = { keyId: key.id, fields: touched(key) };
    const taken = result.failure.code === 'name_taken';
    const wrong = taken
      ? [{ path: 'name', message: 'You already have a live key of that name' }]
      : (result.failure.errors ?? []);
    refuse(wrong);
    if (wrong.length === 0) setFailure(result.failure);
  };
  return { form, fields, errors, failure, busy, sent, change, save, leave };
}

function EditForm({ of: key }: { of: Key }) {
  const groups = useGroups();
  const { form, fields, errors, failure, busy, sent, change, save, leave } = useEdit(key, groups);
  const parts = { fields, errors, onChange: change };
  useShortcuts([{ key: 'Mod+Enter', words: 'Save', typing: true, run: () => void save() }]);
  return (
    <PopupPage
      scrollName={`edit ${key.id}`}
      top={<TitleBar title={`Edit ${key.name}`} onBack={leave} />}
      foot={
        <>
          <span class="small muted grow truncate" role="status">
            {errors.length > 0 ? (
              <span class="bad">{count(errors.length, 'thing')} to fix</span>
            ) : (
              'Applies to the next request'
            )}
          </span>
          <Button variant="ghost" onClick={leave}>
            Cancel
          </Button>
          <Button
            variant="primary"
            kbd="Mod+Enter"
            busy={busy && 'Saving'}
            unavailable={offline.value && 'Needs the server'}
            onClick={() => void save()}
          >
            Save
          </Button>
        </>
      }
    >
      <form class="popup__pad stack" style="--gap:18px" novalidate ref={form} onSubmit={(e) => void save(e)}>
        {failure && <FailureNote what="The key was not changed" failure={failure} />}
        {sent && (
          <Callout tone="warn" icon="warn">
            <b>Saved before, and different now</b>
            <p>
              This was closed before the answer came. The change was refused, or somebody has changed the key since:
              saving again puts what stands here in its place.
            </p>
          </Callout>
        )}
        <NameField {...parts} focus />
        <DescriptionField {...parts} />
        {groups && <GroupField {...parts} groups={groups} />}
        <AdvancedFields {...parts} />
        <Callout tone="plain">
          <p>
            The secret stays the same. Environment and expiry can’t be edited:{' '}
            <LinkButton class="small link--inline" onClick={() => replaceRoute({ screen: 'rotate', id: key.id })}>
              rotate the key
            </LinkButton>{' '}
            to set a new expiry.
          </p>
        </Callout>
        <button type="submit" class="sr" tabIndex={-1} aria-hidden="true">
          Save
        </button>
      </form>
    </PopupPage>
  );
}

/** Name, description and what the key may do; never its secret, environment or expiry. */
export function EditKey({ id }: { id: string }) {
  const key = findKey(id);
  if (!key) return <PopupPage top={<TitleBar title="Edit" />}>{null}</PopupPage>;
  // Revoked elsewhere: there is nothing left to change.
  if (key.status === 'revoked') return <KeyDetail id={id} />;
  return <EditForm of={key} />;
}
