import { useRef, useState } from 'preact/hooks';
import { ENROL_PERMISSION } from '../../../shared/agent-protocol.ts';
import type { FieldError } from '../../../shared/contract/errors.ts';
import { permission as permissionField } from '../../../shared/contract/fields.ts';
import { groups as contract, type Group } from '../../../shared/contract/groups.ts';
import type { Failure } from '../../messages/failure.ts';
import { createGroup, editGroup } from '../../state/admin.ts';
import { allKeys } from '../../state/keys.ts';
import { navigate } from '../../state/route.ts';
import { showToast } from '../../state/toasts.ts';
import { offline } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { TextField } from '../../ui/field.tsx';
import { errorsOf, focusFirstInvalid, sentence } from '../../ui/field-errors.ts';
import { ago, count } from '../../ui/format.ts';
import { isDead, unusedPhrase } from '../../ui/key-words.ts';
import { Tag } from '../../ui/marks.tsx';
import { When } from '../../ui/when.tsx';
import { fieldErrors } from '../key-form-model.ts';
import { groupChanges, matrixOf } from './group-model.ts';
import { Heads } from './table-parts.tsx';

interface EditorProps {
  /** Undefined for a new one. */
  group: Group | undefined;
  /** Permissions that any group has: they can be ticked, others can be added. */
  known: readonly string[];
  onSaved: (group: Group) => void;
}

interface MatrixProps {
  known: readonly string[];
  chosen: readonly string[];
  before: readonly string[];
  onToggle: (permission: string, on: boolean) => void;
}

/** What the companion itself asks for: any group may be given it, also in a workspace that has no group yet. */
const BUILT_IN = [ENROL_PERMISSION];

/** Resources down, what may be done with them across. */
function Matrix({ known, chosen, before, onToggle }: MatrixProps) {
  const rows = matrixOf([...BUILT_IN, ...known, ...chosen]);
  return (
    <div class="card card--table">
      <table class="table">
        <caption class="sr">Permissions</caption>
        <Heads words={['Resource', 'What its keys may do']} />
        <tbody>
          {rows.map(({ resource, words, actions }) => (
            <tr key={resource}>
              <th scope="row">
                <b class="semi">{words}</b>
              </th>
              <td>
                <div class="row row--wrap group__actions">
                  {actions.map((action) => {
                    const permission = `${resource}:${action}`;
                    const on = chosen.includes(permission);
                    return (
                      <label key={action} class="row tick">
                        <input
                          type="checkbox"
                          class="check"
                          aria-label={`${words}: ${action}`}
                          checked={on}
                          onChange={(event) => onToggle(permission, event.currentTarget.checked)}
                        />
                        <span class="small">{action}</span>
                        {on !== before.includes(permission) && (
                          <Tag tone={on ? 'info' : 'warn'}>{on ? 'new' : 'gone'}</Tag>
                        )}
                      </label>
                    );
                  })}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A permission that no group has yet. */
function AddPermission({ onAdd }: { onAdd: (permission: string) => void }) {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<string>();
  const add = (event: Event) => {
    event.preventDefault();
    const parsed = permissionField.safeParse(typed.trim());
    if (!parsed.success) return setError(sentence(parsed.error.issues[0]?.message ?? 'is not a permission'));
    onAdd(parsed.data);
    setTyped('');
  };
  return (
    <form class="row setting__line" onSubmit={add}>
      <div class="grow">
        <TextField
          label="Another permission"
          mono
          placeholder="customers:read"
          value={typed}
          error={error}
          onInput={(value) => {
            setTyped(value);
            setError(undefined);
          }}
        />
      </div>
      <Button type="submit" icon="plus">
        Add
      </Button>
    </form>
  );
}

function UsedBy({ group }: { group: Group }) {
  const keys = allKeys.value?.filter((key) => key.groupId === group.id && !isDead(key.status)) ?? [];
  if (keys.length === 0) return null;
  return (
    <section>
      <h2 class="small semi">Used by {count(keys.length, 'key')}</h2>
      <ul class="list">
        {keys.slice(0, 8).map((key) => (
          <li key={key.id} class="row row--between group__key">
            <button type="button" class="link" onClick={() => navigate({ screen: 'key', id: key.id })}>
              {key.name}
            </button>
            <span class="small subtle">
              {key.lastUsed ? <When at={key.lastUsed.at} words={ago} /> : unusedPhrase(key).toLowerCase()}
            </span>
          </li>
        ))}
      </ul>
      {keys.length > 8 && <p class="small subtle">and {keys.length - 8} more</p>}
    </section>
  );
}

function useEditor({ group, onSaved }: EditorProps) {
  const before = {
    name: group?.name ?? '',
    description: group?.description ?? '',
    permissions: group?.permissions ?? [],
  };
  const form = useRef<HTMLDivElement>(null);
  const [fields, setFields] = useState(before);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<typeof fields>) => {
    setFields({ ...fields, ...part });
    setErrors([]);
  };
  const refuse = (wrong: readonly FieldError[]) => {
    setErrors(wrong);
    focusFirstInvalid(form.current);
  };
  const save = async () => {
    if (busy) return;
    const parsed = contract.createGroup.body.safeParse(fields);
    if (!parsed.success) return refuse(fieldErrors(parsed.error.issues));
    setBusy(true);
    const result = await (group ? editGroup(group.id, parsed.data) : createGroup(parsed.data));
    setBusy(false);
    if (result.ok) {
      showToast(group ? 'Saved. Its keys follow at once.' : `${result.value.name} created`);
      onSaved(result.value);
      return;
    }
    const taken =
      result.failure.code === 'name_taken' ? [{ path: 'name', message: 'There is a group of that name' }] : [];
    refuse(result.failure.errors ?? taken);
    setFailure(result.failure.errors || taken.length > 0 ? undefined : result.failure);
  };
  return { before, form, fields, errors, failure, busy, change, save, discard: () => change(before) };
}

export function GroupEditor(props: EditorProps) {
  const { before, form, fields, errors, failure, busy, change, save, discard } = useEditor(props);
  const { group, known } = props;
  const changes = groupChanges(before, fields);
  const dirty = changes.length > 0;
  return (
    <div class="groups__editor" ref={form}>
      <div class="stack">
        {failure && <FailureNote what="The group was not saved" failure={failure} />}
        <div class="cols cols--2">
          <TextField
            label="Group name"
            name="name"
            value={fields.name}
            error={errorsOf(errors, 'name')}
            onInput={(name) => change({ name })}
          />
          <TextField
            label="Description"
            aside="Optional"
            name="description"
            value={fields.description}
            error={errorsOf(errors, 'description')}
            onInput={(description) => change({ description })}
          />
        </div>
        <Matrix
          known={known}
          chosen={fields.permissions}
          before={before.permissions}
          onToggle={(permission, on) =>
            change({
              permissions: on
                ? [...fields.permissions, permission]
                : fields.permissions.filter((p) => p !== permission),
            })
          }
        />
        <AddPermission
          onAdd={(permission) => change({ permissions: [...new Set([...fields.permissions, permission])] })}
        />
        {group && <UsedBy group={group} />}
      </div>
      {(dirty || !group) && (
        <section class="unsaved" aria-label="Unsaved changes">
          <span class="grow" role="status">
            {dirty ? changes.join(', ') : 'Give it a name and permissions.'}
            {dirty && group && group.keys > 0 && ` ${count(group.keys, 'key follows', 'keys follow')} at once.`}
          </span>
          {dirty && (
            <Button variant="ghost" onClick={discard}>
              Discard
            </Button>
          )}
          <Button
            variant="primary"
            busy={busy && 'Saving'}
            unavailable={offline.value && 'Needs the server'}
            onClick={() => void save()}
          >
            {group ? 'Save' : 'Create group'}
          </Button>
        </section>
      )}
    </div>
  );
}
