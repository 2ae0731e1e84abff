import type { ComponentChildren } from 'preact';
import type { Key, KeyStatus } from '../../shared/contract/keys.ts';
import type { Environment } from '../../shared/key-format.ts';
import { initials } from './format.ts';
import { Icon, type IconName } from './icon.tsx';
import { ENVIRONMENT_WORDS, permissionsByResource, reasonWords, STATUS_WORDS } from './key-words.ts';

const STATUS_MARKS: Record<KeyStatus, { icon: IconName; tone: string }> = {
  active: { icon: 'ok', tone: 'active' },
  expiring_soon: { icon: 'clock', tone: 'expiring' },
  expired: { icon: 'hourglass', tone: 'expired' },
  disabled: { icon: 'pause-circle', tone: 'disabled' },
  revoked: { icon: 'x-circle', tone: 'revoked' },
};

interface StatusProps {
  of: Pick<Key, 'status' | 'revokedReason'>;
  mine?: boolean;
  /** Words after the status, instead of the reason of a revocation; empty for none. */
  note?: string | undefined;
}

/** Glyph, word and colour; of a revoked key also why. */
export function Status({ of, mine = true, note }: StatusProps) {
  const { icon, tone } = STATUS_MARKS[of.status];
  const reason = of.status === 'revoked' && of.revokedReason ? reasonWords(of.revokedReason, mine) : undefined;
  const more = note ?? reason;
  return (
    <span class={`status status--${tone}`}>
      <Icon name={icon} />
      {STATUS_WORDS[of.status]}
      {more && <small>· {more}</small>}
    </span>
  );
}

const HEXAGON = 'M6 .9 10.5 3.45v5.1L6 11.1 1.5 8.55v-5.1z';

/** A hexagon, full, half or outlined, and the word. */
export function Env({ of, short = false }: { of: Environment; short?: boolean }) {
  const words = ENVIRONMENT_WORDS[of];
  return (
    <span class={`env env--${words.mark}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {words.mark === 'stag' && <path class="half" d="M6 .9v10.2L1.5 8.55v-5.1z" />}
        <path d={HEXAGON} />
      </svg>
      {short ? words.short : words.long}
    </span>
  );
}

export function Tag({
  children,
  tone,
  icon,
}: {
  children: ComponentChildren;
  tone?: 'ok' | 'warn' | 'bad' | 'info';
  icon?: IconName;
}) {
  return (
    <span class={`tag ${tone ? `tag--${tone}` : ''}`}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

/** `Events read write`, one tag a resource. */
export function Permissions({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="subtle">No permissions</span>;
  return (
    <ul class="tags">
      {permissionsByResource(of).map(({ resource, actions }) => (
        <li key={resource} class="tag">
          <b>{resource}</b> {actions.join(' ')}
        </li>
      ))}
    </ul>
  );
}

/** The shown part of a key; it never wraps. */
export const Prefix = ({ of }: { of: string }) => <code class="prefix">{of}…</code>;

export function Avatar({
  name,
  large = false,
  square = false,
  ink = false,
}: {
  name: string;
  large?: boolean;
  square?: boolean;
  ink?: boolean;
}) {
  const shape = `${large ? ' avatar--lg' : ''}${square ? ' avatar--sq' : ''}${ink ? ' avatar--ink' : ''}`;
  return <span class={`avatar${shape}`} aria-hidden="true" data-initials={initials(name, square ? 1 : 2)} />;
}

export function Logo() {
  return (
    <span class="logo">
      <svg viewBox="2.2 1 19.6 22" role="img" aria-label="Heex Keys">
        <path class="logo__body" d="M12 2.5 20.2 7.2v9.6L12 21.5l-8.2-4.7V7.2z" />
        <circle class="logo__hole" cx="12" cy="10.2" r="2.6" />
        <path class="logo__hole" d="M10.9 11.5h2.2l.9 5.1h-4z" />
      </svg>
    </span>
  );
}

/** `2 of 10 keys`, with a bar for each while there are few. */
export function Quota({ used, limit }: { used: number; limit: number }) {
  const bars = Math.min(limit, 10);
  const on = limit > 0 ? Math.min(bars, Math.ceil((used / limit) * bars)) : 0;
  return (
    <span class={`quota ${used >= limit ? 'quota--full' : ''}`}>
      <span class="meter" aria-hidden="true">
        {Array.from({ length: bars }, (_, i) => (
          <i key={i} class={i < on ? 'on' : undefined} />
        ))}
      </span>
      <span>
        <b>{used}</b> of {limit} keys
      </span>
    </span>
  );
}
