import type { ComponentChildren } from 'preact';
import type { Failure } from '../../messages/failure.ts';
import { Button } from '../../ui/button.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Kbd } from '../../ui/kbd.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { SkeletonRows } from '../../ui/notice.tsx';

interface ChoiceProps<V extends string> {
  /** What is filtered by, e.g. `Status`. */
  label: string;
  /** Null is no filter. */
  value: V | null;
  options: readonly { value: V; label: string }[];
  onChange: (value: V | null) => void;
}

/** A filter of a list: its button says what it is set to. */
export function Choice<V extends string>({ label, value, options, onChange }: ChoiceProps<V>) {
  const menu = useMenu();
  const chosen = options.find((option) => option.value === value);
  return (
    <>
      <button
        type="button"
        class={`btn btn--sm ${chosen ? 'btn--chosen' : ''}`}
        aria-haspopup="menu"
        aria-expanded={menu.open}
        ref={menu.opener}
        onClick={menu.toggle}
      >
        {chosen ? `${label}: ${chosen.label}` : label}
        <Icon name="down" class="icon--sm" />
      </button>
      {menu.show({
        label,
        children: (
          <>
            <MenuItem checked={value === null} onSelect={menu.choose(() => onChange(null))}>
              Any
            </MenuItem>
            {options.map((option) => (
              <MenuItem
                key={option.value}
                checked={option.value === value}
                onSelect={menu.choose(() => onChange(option.value))}
              >
                {option.label}
              </MenuItem>
            ))}
          </>
        ),
      })}
    </>
  );
}

export function SearchBox(props: { label: string; hint: string; value: string; onInput: (value: string) => void }) {
  return (
    <div class="input-wrap">
      <Icon name="search" />
      <input
        class="input"
        type="search"
        data-search=""
        aria-label={props.label}
        placeholder={props.hint}
        autocomplete="off"
        spellcheck={false}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      {props.value === '' && <Kbd keys="/" />}
    </div>
  );
}

export const focusSearch = () => document.querySelector<HTMLElement>('[data-search]')?.focus();

interface ListStateProps {
  what: string;
  loading: boolean;
  failure: Failure | undefined;
  empty: ComponentChildren;
  onRetry: () => void;
}

/** What stands in the place of a list that is not there: on its way, failed, or empty. */
export function ListState({ what, loading, failure, empty, onRetry }: ListStateProps): ComponentChildren {
  if (failure) {
    return (
      <div class="page__note stack">
        <FailureNote what={what} failure={failure} />
        <div>
          <Button icon="refresh" busy={loading && 'Trying'} onClick={onRetry}>
            Try again
          </Button>
        </div>
      </div>
    );
  }
  return loading ? <SkeletonRows /> : empty;
}

/** The foot of a list that is longer than what was read. */
export function MoreRows({ hasMore, loading, onMore }: { hasMore: boolean; loading: boolean; onMore: () => void }) {
  if (!hasMore) return null;
  return (
    <div class="table__foot">
      <Button size="sm" busy={loading && 'Loading'} onClick={onMore}>
        Show more
      </Button>
    </div>
  );
}

/** The head of a table that is not sorted. `acts`: its last column has what can be done with a row. */
export function Heads({ words, acts = false }: { words: readonly string[]; acts?: boolean }) {
  return (
    <thead>
      <tr>
        {words.map((word) => (
          <th key={word} scope="col">
            {word}
          </th>
        ))}
        {acts && (
          <th scope="col">
            <span class="sr">Actions</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

export type Choose = ReturnType<typeof useMenu>['choose'];

interface RowMenuProps {
  /** The name of what the row shows. */
  of: string;
  /** What the button is called, where it is not `Actions for` that name. */
  label?: string | undefined;
  children: (choose: Choose) => ComponentChildren;
}

/** What can be done with one row. */
export function RowMenu({ of, label = `Actions for ${of}`, children }: RowMenuProps) {
  const menu = useMenu();
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        icon="more"
        label={label}
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({ label: of, align: 'end', children: children(menu.choose) })}
    </>
  );
}
