import type { ComponentChildren, InputHTMLAttributes, Ref } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

interface Frame {
  label: ComponentChildren;
  /** Right of the label: limits, `Optional`, a counter. */
  aside?: ComponentChildren;
  hint?: ComponentChildren;
  /** One or several: each is a line of its own. */
  error?: ComponentChildren | readonly ComponentChildren[] | undefined;
  /** A remark that does not stop anything. */
  warning?: ComponentChildren | undefined;
}

const listOf = (error: Frame['error']): readonly ComponentChildren[] =>
  error === undefined || error === '' || error === null || error === false
    ? []
    : Array.isArray(error)
      ? (error as readonly ComponentChildren[])
      : [error as ComponentChildren];

/** Errors, warning and hint below a control, and the ids that tie them to it. */
function useNotes({ error, warning, hint }: Frame) {
  const id = useId();
  const errors = listOf(error);
  const describedBy =
    [errors.length > 0 && `${id}e`, warning && `${id}w`, hint && `${id}h`].filter(Boolean).join(' ') || undefined;
  const notes = (
    <>
      {errors.length > 0 && (
        <ul id={`${id}e`} class="stack" style="--gap:2px">
          {errors.map((line) => (
            <li class="field__error">
              <Icon name="alert" />
              <span>{line}</span>
            </li>
          ))}
        </ul>
      )}
      {warning && (
        <p class="field__warn" id={`${id}w`}>
          <Icon name="warn" />
          <span>{warning}</span>
        </p>
      )}
      {hint && (
        <p class="field__hint" id={`${id}h`}>
          {hint}
        </p>
      )}
    </>
  );
  return { id, describedBy, invalid: errors.length > 0, notes };
}

const Label = ({ id, label, aside }: { id: string; label: ComponentChildren; aside: ComponentChildren }) => (
  <label class="field__label" for={id}>
    <span>{label}</span>
    {aside && <small>{aside}</small>}
  </label>
);

interface TextProps extends Frame {
  value: string;
  onInput: (value: string) => void;
  /** The path that the server names in its errors: the first invalid one gets the focus. */
  name?: string;
  type?: 'text' | 'email' | 'url' | 'date' | 'password';
  icon?: IconName;
  suffix?: ComponentChildren;
  mono?: boolean;
  placeholder?: string;
  autocomplete?: InputHTMLAttributes<HTMLInputElement>['autocomplete'];
  inputMode?: 'url' | 'numeric' | 'email';
  min?: string;
  max?: string;
  readOnly?: boolean;
  autoFocus?: boolean;
  required?: boolean;
  inputRef?: Ref<HTMLInputElement>;
}

// The types of attributes differ by type, so that one that is only known later has to be asserted.
const inputType = (type: TextProps['type'] = 'text') => ({ type }) as { type: 'text' };

export function TextField(props: TextProps) {
  const { label, aside, value, onInput, icon, suffix, mono } = props;
  const { id, describedBy, invalid, notes } = useNotes(props);
  return (
    <div class="field">
      <Label id={id} label={label} aside={aside} />
      <div class="input-wrap">
        {icon && <Icon name={icon} />}
        <input
          class={`input ${mono ? 'input--mono' : ''} ${props.inputMode === 'numeric' ? 'num' : ''}`}
          id={id}
          name={props.name}
          {...inputType(props.type)}
          value={value}
          placeholder={props.placeholder}
          autocomplete={props.autocomplete ?? 'off'}
          inputMode={props.inputMode}
          spellcheck={false}
          min={props.min}
          max={props.max}
          readOnly={props.readOnly}
          data-autofocus={props.autoFocus || undefined}
          aria-required={props.required || undefined}
          aria-invalid={invalid || undefined}
          aria-describedby={describedBy}
          ref={props.inputRef ?? null}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        {suffix && <span class="suffix">{suffix}</span>}
      </div>
      {notes}
    </div>
  );
}

interface AreaProps extends Frame {
  value: string;
  onInput: (value: string) => void;
  name?: string;
  rows?: number;
  mono?: boolean;
  placeholder?: string;
}

export function TextArea(props: AreaProps) {
  const { id, describedBy, invalid, notes } = useNotes(props);
  return (
    <div class="field">
      <Label id={id} label={props.label} aside={props.aside} />
      <textarea
        class={`input ${props.mono ? 'input--mono input--lines' : ''}`}
        id={id}
        name={props.name}
        rows={props.rows ?? 2}
        value={props.value}
        placeholder={props.placeholder}
        spellcheck={!props.mono}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      {notes}
    </div>
  );
}

interface SelectProps<V extends string> extends Omit<Frame, 'label'> {
  label: string;
  /** The label is there for screen readers only. */
  bare?: boolean;
  value: V;
  options: readonly { value: V; label: string; unavailable?: boolean }[];
  onChange: (value: V) => void;
  name?: string;
  icon?: IconName;
  children?: ComponentChildren;
}

/** The browser's own list, in our frame: it works by keyboard, screen reader and touch as people know it. */
export function Select<V extends string>(props: SelectProps<V>) {
  const { id, describedBy, invalid, notes } = useNotes({ ...props });
  const control = (
    <div class="select-wrap">
      {props.icon && <Icon name={props.icon} />}
      <select
        class={`select ${props.icon ? 'select--icon' : ''}`}
        id={id}
        name={props.name}
        aria-label={props.bare ? props.label : undefined}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value as V)}
      >
        {props.options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.unavailable}>
            {option.label}
          </option>
        ))}
      </select>
      <Icon name="updown" />
    </div>
  );
  if (props.bare) return control;
  return (
    <div class="field">
      <Label id={id} label={props.label} aside={props.aside} />
      {control}
      {props.children}
      {notes}
    </div>
  );
}

/** A group of choices with one legend and its own notes. */
export function Fieldset(props: Frame & { children: ComponentChildren; name?: string }) {
  const { describedBy, notes } = useNotes(props);
  return (
    <fieldset class="field" name={props.name} aria-describedby={describedBy}>
      <legend class="field__label">
        <span>{props.label}</span>
        {props.aside && <small>{props.aside}</small>}
      </legend>
      {props.children}
      {notes}
    </fieldset>
  );
}
