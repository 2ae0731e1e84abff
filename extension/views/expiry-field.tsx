import type { FieldError } from '../../shared/contract/errors.ts';
import { now } from '../state/clock.ts';
import type { NewKeyDraft } from '../state/drafts.ts';
import { workspace } from '../state/workspace.ts';
import { Chips } from '../ui/choice.tsx';
import { Fieldset, TextField } from '../ui/field.tsx';
import { errorsOf } from '../ui/field-errors.ts';
import { DAY, weekday } from '../ui/format.ts';
import { Callout } from '../ui/notice.tsx';
import { allowedDays, effectiveExpiry, expiresAt } from './key-form-model.ts';

type Fields = Pick<NewKeyDraft, 'expiry' | 'expiresOn'>;
interface ExpiryProps {
  fields: Fields;
  errors: readonly FieldError[];
  onChange: (change: Partial<Fields>) => void;
  label?: string;
}

const localDate = (time: number) => {
  const d = new Date(time);
  return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
};

const daysWords = (days: number) => (days === 365 ? '1 year' : `${days} days`);
/** Notifications come 14, 7 and 1 days before; of a key that lives shorter, the ones that still fit. */
const reminder = (until: number) => {
  const days = Math.floor((until - now.value) / DAY);
  if (days > 14) return 'Reminder 14 days before.';
  return days > 7 ? 'Reminder 7 days before.' : 'Reminder 1 day before.';
};

export const maxLifetime = () => workspace.value?.policies.maxKeyLifetimeDays ?? null;

/** When the key stops working, and what that means. */
export function ExpiryField({ fields, errors, onChange, label = 'Expires' }: ExpiryProps) {
  const max = maxLifetime();
  const expiry = effectiveExpiry(fields.expiry, max);
  const until = expiresAt(expiry, fields.expiresOn, now.value);
  const options = [
    ...allowedDays(max).map((days) => ({ value: String(days), label: daysWords(days) })),
    { value: 'custom', label: 'Date…' },
    ...(max === null ? [{ value: 'never', label: 'Never' }] : []),
  ];
  return (
    <Fieldset
      label={label}
      aside={max !== null && `At most ${max} days here`}
      error={expiry === 'custom' ? undefined : errorsOf(errors, 'expiresAt')}
      hint={
        typeof until === 'number' && until > now.value ? (
          <>
            Stops working <b>{weekday(until)}</b>. {reminder(until)}
          </>
        ) : undefined
      }
    >
      <Chips label={label} tight options={options} value={expiry} onChange={(value) => onChange({ expiry: value })} />
      {expiry === 'custom' && (
        <TextField
          label="Last day"
          type="date"
          name="expiresAt"
          min={localDate(now.value)}
          {...(max === null ? {} : { max: localDate(now.value + max * DAY) })}
          value={fields.expiresOn}
          error={errorsOf(errors, 'expiresAt')}
          onInput={(expiresOn) => onChange({ expiresOn })}
        />
      )}
      {expiry === 'never' && (
        <Callout tone="warn" icon="hourglass">
          <p>
            <b>Nobody will be reminded.</b> A key that never expires stays valid until someone revokes it. With 1 year
            you can rotate and keep the same name and settings.
          </p>
        </Callout>
      )}
    </Fieldset>
  );
}
