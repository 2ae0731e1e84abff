import { useEffect, useState } from 'preact/hooks';
import type { FieldError } from '../../shared/contract/errors.ts';
import type { Group } from '../../shared/contract/groups.ts';
import { listGroups, me } from '../state/workspace.ts';
import { LinkButton } from '../ui/button.tsx';
import { Tick } from '../ui/choice.tsx';
import { Fieldset, Select, TextArea, TextField } from '../ui/field.tsx';
import { errorsOf, lineErrors } from '../ui/field-errors.ts';
import { number } from '../ui/format.ts';
import { looksPersonal } from '../ui/key-words.ts';
import { Permissions } from '../ui/marks.tsx';
import { type FormFields, joinRate, splitRate } from './key-form-model.ts';

interface PartProps {
  fields: FormFields;
  errors: readonly FieldError[];
  onChange: (change: Partial<FormFields>) => void;
}

export function NameField({ fields, errors, onChange, focus }: PartProps & { focus?: boolean }) {
  const personal = me.value ? looksPersonal(fields.name, [me.value.user.name]) : false;
  return (
    <TextField
      label="Name"
      aside="2–200 characters"
      name="name"
      value={fields.name}
      autoFocus={focus ?? false}
      required
      error={errorsOf(errors, 'name')}
      warning={personal && 'Looks like a person’s name. Name what it is for.'}
      hint={
        <>
          Name the purpose, like <code>prod-main-app</code>. No personal names.
        </>
      }
      onInput={(name) => onChange({ name })}
    />
  );
}

export function DescriptionField({ fields, errors, onChange }: PartProps) {
  const length = [...fields.description].length;
  return (
    <TextArea
      label="Description"
      aside={length === 0 ? 'Optional · 1,000 characters' : `${number(length)} of 1,000`}
      name="description"
      placeholder="What uses this key, and who looks after it"
      value={fields.description}
      error={errorsOf(errors, 'description')}
      onInput={(description) => onChange({ description })}
    />
  );
}

/** The groups of the workspace; undefined until they have come, and where there are none. */
export function useGroups(): Group[] | undefined {
  const [groups, setGroups] = useState<Group[]>();
  useEffect(() => {
    let gone = false;
    void listGroups().then((result) => {
      if (!gone && result.ok && result.value.length > 0) setGroups(result.value);
    });
    return () => {
      gone = true;
    };
  }, []);
  return groups;
}

/** The group and, once it is chosen, which of its permissions the key gets. */
export function GroupField({ fields, errors, onChange, groups }: PartProps & { groups: Group[] }) {
  const group = groups.find(({ id }) => id === fields.groupId);
  const options = [
    { value: '', label: 'No permissions' },
    ...groups.map(({ id, name }) => ({ value: id, label: name })),
  ];
  return (
    <Select
      label="Authorization group"
      icon="layers"
      name="groupId"
      value={fields.groupId ?? ''}
      options={options}
      error={errorsOf(errors, 'groupId')}
      onChange={(value) => onChange({ groupId: value || null, permissions: null })}
    >
      {group && <Narrowing group={group} fields={fields} errors={errors} onChange={onChange} />}
    </Select>
  );
}

function Narrowing({ group, fields, errors, onChange }: PartProps & { group: Group }) {
  const chosen = fields.permissions;
  if (chosen === null) {
    return (
      <>
        <Permissions of={group.permissions} />
        <LinkButton class="small" onClick={() => onChange({ permissions: group.permissions })}>
          Give it only some of these
        </LinkButton>
      </>
    );
  }
  const toggle = (permission: string, on: boolean) =>
    onChange({ permissions: group.permissions.filter((p) => (p === permission ? on : chosen.includes(p))) });
  return (
    <Fieldset label="Permissions" error={errorsOf(errors, 'permissions')}>
      <div class="well stack" style="--gap:4px">
        {group.permissions.map((permission) => (
          <Tick key={permission} checked={chosen.includes(permission)} onChange={(on) => toggle(permission, on)}>
            <code>{permission}</code>
          </Tick>
        ))}
      </div>
      <LinkButton class="small" onClick={() => onChange({ permissions: null })}>
        Give it all of them, also those added later
      </LinkButton>
    </Fieldset>
  );
}

const WINDOWS = [
  { value: '1', label: 'a second' },
  { value: '60', label: 'a minute' },
  { value: '3600', label: 'an hour' },
  { value: '86400', label: 'a day' },
];

function RateField({ fields, errors, onChange }: PartProps) {
  const { limit, windowSeconds } = splitRate(fields.rateLimit);
  const windows = WINDOWS.some(({ value }) => value === windowSeconds)
    ? WINDOWS
    : [...WINDOWS, { value: windowSeconds, label: `${windowSeconds} seconds` }];
  return (
    <div class="rate">
      <TextField
        label="Rate limit"
        inputMode="numeric"
        name="rateLimit"
        suffix="requests"
        placeholder="No limit"
        value={limit}
        error={errorsOf(errors, 'rateLimit')}
        hint="Above it, callers get 429."
        onInput={(value) => onChange({ rateLimit: value.trim() === '' ? '' : joinRate(value, windowSeconds) })}
      />
      <Select
        label="in"
        value={windowSeconds}
        options={windows}
        onChange={(value) => onChange({ rateLimit: limit === '' ? '' : joinRate(limit, value) })}
      />
    </div>
  );
}

function IpField({ fields, errors, onChange }: PartProps) {
  const wrong = lineErrors(errors, 'ipAllowlist', fields.ipAllowlist);
  return (
    <TextArea
      label="IP allowlist"
      aside="One address or CIDR range per line"
      name="ipAllowlist"
      mono
      rows={Math.min(8, Math.max(2, fields.ipAllowlist.split('\n').length))}
      value={fields.ipAllowlist}
      error={wrong.map(({ line, words }) => (
        <>
          {line !== undefined && <b>Line {line}: </b>}
          {words}
        </>
      ))}
      hint="Leave empty to allow any address."
      onInput={(ipAllowlist) => onChange({ ipAllowlist })}
    />
  );
}

function CustomersField({ fields, errors, onChange }: PartProps) {
  const wrong = lineErrors(errors, 'customers', fields.customers);
  return (
    <TextArea
      label="Customers"
      aside="One id per line"
      name="customers"
      mono
      rows={Math.min(6, Math.max(2, fields.customers.split('\n').length))}
      value={fields.customers}
      error={wrong.map(({ line, words }) => (line === undefined ? words : `Line ${line}: ${words}`))}
      hint="Leave empty to allow every customer."
      onInput={(customers) => onChange({ customers })}
    />
  );
}

/** What most keys do without. */
export function AdvancedFields(props: PartProps) {
  const { fields, errors, onChange } = props;
  return (
    <>
      <TextField
        label="Looked after by"
        aside="Told about rotations"
        type="email"
        inputMode="email"
        name="technicalOwner"
        placeholder="name@company.com"
        value={fields.technicalOwner}
        error={errorsOf(errors, 'technicalOwner')}
        onInput={(technicalOwner) => onChange({ technicalOwner })}
      />
      <IpField {...props} />
      <RateField {...props} />
      <CustomersField {...props} />
    </>
  );
}
