import type { ComponentChildren } from 'preact';

interface TabsProps<V extends string> {
  label: string;
  options: readonly { value: V; label: ComponentChildren }[];
  value: V;
  onChange: (value: V) => void;
  end?: ComponentChildren;
}

/** Sections of the popup: places to go to, so a navigation and not an ARIA tab list. */
export function SectionTabs<V extends string>({ label, options, value, onChange, end }: TabsProps<V>) {
  return (
    <nav class="tabs" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-current={option.value === value ? 'page' : undefined}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
      {end && <span class="end row">{end}</span>}
    </nav>
  );
}

interface PanelTabsProps<V extends string> extends Omit<TabsProps<V>, 'end'> {
  /** The id of the panel below, which shows what is chosen. */
  panel: string;
}

/** Views of one thing, as the tabs pattern of the ARIA Authoring Practices has them: arrows move and choose. */
export function PanelTabs<V extends string>({ label, options, value, onChange, panel }: PanelTabsProps<V>) {
  const move = (event: KeyboardEvent) => {
    const at = options.findIndex((option) => option.value === value);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = options.at((at + step) % options.length);
    if (next) onChange(next.value);
    const list = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => list.querySelector<HTMLElement>('[aria-selected=true]')?.focus());
  };
  return (
    <div class="seg seg--sm" role="tablist" aria-label={label} onKeyDown={move}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="tab"
          aria-selected={option.value === value}
          aria-controls={panel}
          tabIndex={option.value === value ? 0 : -1}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
