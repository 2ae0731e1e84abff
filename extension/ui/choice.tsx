import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icon.tsx';

export interface Option<V extends string> {
  value: V;
  label: ComponentChildren;
  /** Small words beside or below the label. */
  note?: ComponentChildren;
}

interface OneOf<V extends string> {
  /** What is being chosen; said to screen readers, the page shows its own label. */
  label: string;
  options: readonly Option<V>[];
  value: V;
  onChange: (value: V) => void;
}

/** A row of two to five alternatives that are all in sight. */
export function Segmented<V extends string>(props: OneOf<V> & { small?: boolean; name?: string }) {
  const group = useId();
  return (
    <div class={`seg ${props.small ? 'seg--sm' : ''}`} role="radiogroup" aria-label={props.label}>
      {props.options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={props.name ?? group}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

/** The same choice as chips, for more alternatives or narrow places. */
export function Chips<V extends string>(props: OneOf<V> & { tight?: boolean; name?: string }) {
  const group = useId();
  return (
    <div class={`chips ${props.tight ? 'chips--tight' : ''}`} role="radiogroup" aria-label={props.label}>
      {props.options.map((option) => (
        <label key={option.value} class="chip">
          <input
            type="radio"
            name={props.name ?? group}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          {option.label}
          {option.note !== undefined && <span class="num">{option.note}</span>}
        </label>
      ))}
    </div>
  );
}

/** Alternatives that need a word of explanation, one a line. */
export function OptionRows<V extends string>(props: OneOf<V>) {
  const group = useId();
  return (
    <div role="radiogroup" aria-label={props.label}>
      {props.options.map((option) => (
        <label key={option.value} class="option option--line">
          <input
            class="radio"
            type="radio"
            name={group}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          <b>{option.label}</b>
          <small>{option.note}</small>
        </label>
      ))}
    </div>
  );
}

interface TickProps {
  children: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  kind?: 'check' | 'switch';
}

export function Tick({ children, checked, onChange, kind = 'check' }: TickProps) {
  return (
    <label class="row tick">
      <input
        class={kind}
        type="checkbox"
        role={kind === 'switch' ? 'switch' : undefined}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="grow">{children}</span>
    </label>
  );
}

/** A filter that is on, with the way to take it off. */
export function RemovableChip({
  children,
  label,
  onRemove,
}: {
  children: ComponentChildren;
  label: string;
  onRemove: () => void;
}) {
  return (
    <span class="chip chip--removable" data-on="">
      {children}
      <button type="button" aria-label={label} title={label} onClick={onRemove}>
        <Icon name="x" class="icon--sm" />
      </button>
    </span>
  );
}
