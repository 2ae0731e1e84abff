import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { personName } from '../../../shared/contract/fields.ts';
import { editWorkspace } from '../../state/admin.ts';
import { preferences, setPreferences } from '../../state/preferences.ts';
import { showFailure, showToast } from '../../state/toasts.ts';
import { offline, role, workspace } from '../../state/workspace.ts';
import { Button } from '../../ui/button.tsx';
import { Tick } from '../../ui/choice.tsx';
import { Select, TextField } from '../../ui/field.tsx';
import { sentence } from '../../ui/field-errors.ts';
import { Quota } from '../../ui/marks.tsx';
import { Jobs } from './jobs.tsx';
import { ScimSetting } from './scim-setting.tsx';
import { Page } from './shell.tsx';
import { SsoSetting } from './sso-setting.tsx';
import { Verifiers } from './verifiers.tsx';

function Setting({ title, about, children }: { title: string; about: string; children: ComponentChildren }) {
  return (
    <section class="setting">
      <div>
        <h2>{title}</h2>
        <p>{about}</p>
      </div>
      <div class="stack" style="--gap:12px">
        {children}
      </div>
    </section>
  );
}

const PLANS = { team: 'Team', starter: 'Starter' } as const;

function NameSetting({ name, why }: { name: string; why: string | undefined }) {
  const [typed, setTyped] = useState(name);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const save = async (event?: Event) => {
    event?.preventDefault();
    const parsed = personName.safeParse(typed);
    if (!parsed.success) return setError(sentence(parsed.error.issues[0]?.message ?? 'is not a name'));
    setBusy(true);
    const result = await editWorkspace({ name: parsed.data });
    setBusy(false);
    if (result.ok) showToast('Saved');
    else setError(sentence(result.failure.detail ?? result.failure.title));
  };
  return (
    <form class="row setting__line" onSubmit={(event) => void save(event)}>
      <div class="grow">
        <TextField
          label="Name"
          value={typed}
          readOnly={why !== undefined}
          error={error}
          onInput={(value) => {
            setTyped(value);
            setError(undefined);
          }}
        />
      </div>
      <Button type="submit" busy={busy && 'Saving'} unavailable={why ?? (typed === name && 'Nothing was changed')}>
        Save
      </Button>
    </form>
  );
}

const LIFETIMES = [
  { value: 'none', label: 'No maximum' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
];

function LifetimeSetting({ days, why }: { days: number | null; why: string | undefined }) {
  const value = days === null ? 'none' : String(days);
  const options = LIFETIMES.some((option) => option.value === value)
    ? LIFETIMES
    : [...LIFETIMES, { value, label: `${days} days` }];
  const change = async (next: string) => {
    const maxKeyLifetimeDays = next === 'none' ? null : Number(next);
    const result = await editWorkspace({ policies: { maxKeyLifetimeDays } });
    if (result.ok) showToast('Saved');
    else showFailure('The policy was not changed', result.failure);
  };
  return (
    <div class="setting__select">
      <Select
        label="Longest lifetime"
        value={value}
        options={options.map((option) => ({ ...option, unavailable: why !== undefined && option.value !== value }))}
        hint={why ?? 'With a maximum, no key can be made that never expires.'}
        onChange={(next) => void change(next)}
      />
    </div>
  );
}

/** What holds for the whole workspace. Owners change it, admins read it. */
export function Settings() {
  const current = workspace.value;
  if (!current) return <Page title="Settings">{null}</Page>;
  const why = offline.value
    ? 'Needs the server'
    : role.value === 'owner'
      ? undefined
      : 'Only an owner can change this.';
  return (
    <Page title="Settings">
      <div class="settings">
        <Setting title="Workspace" about="Everyone in it sees this name.">
          <NameSetting key={current.name} name={current.name} why={why} />
        </Setting>
        <Setting title="Plan" about="The operator of the server sets plan and limit.">
          <div class="card card__body">
            <b class="semi">{PLANS[current.plan]}</b>
            <p class="small muted">
              {current.plan === 'team' ? 'API access, rotation with overlap, request log' : 'Without API access'}
            </p>
          </div>
        </Setting>
        <Setting title="Key limit" about="Working and disabled keys count. Expired and revoked ones don’t.">
          <Quota used={current.keysUsed} limit={current.keyLimit} />
        </Setting>
        <Setting title="Lifetime" about="Applies to new keys and rotations. Existing keys keep their expiry.">
          <LifetimeSetting days={current.policies.maxKeyLifetimeDays} why={why} />
        </Setting>
        {role.value === 'owner' && (
          <>
            <Setting title="Single sign-on" about="People sign in with the account that your company gives them.">
              <SsoSetting />
            </Setting>
            <Setting
              title="SCIM"
              about="When someone is removed at the identity provider, their keys are revoked here."
            >
              <ScimSetting />
            </Setting>
          </>
        )}
        <Setting
          title="Verifier credentials"
          about="Your services use these to ask “is this key valid?”. They can’t read or create keys."
        >
          <Verifiers />
        </Setting>
        <Setting title="Background jobs" about="What the server does by itself.">
          <Jobs />
        </Setting>
        <Setting title="This browser" about="Nobody else is affected.">
          <Tick
            kind="switch"
            checked={preferences.value.reminders}
            onChange={(reminders) => void setPreferences({ reminders })}
          >
            Remind before a key expires
            <small class="small muted setting__note">14, 7 and 1 days before, as a notification</small>
          </Tick>
          <Tick
            kind="switch"
            checked={preferences.value.singleKeys}
            onChange={(singleKeys) => void setPreferences({ singleKeys })}
          >
            Single letters act as shortcuts
          </Tick>
        </Setting>
      </div>
    </Page>
  );
}
