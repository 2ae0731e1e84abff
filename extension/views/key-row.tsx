import type { Key, UsageDay } from '../../shared/contract/keys.ts';
import { now } from '../state/clock.ts';
import { Sparkline } from '../ui/chart.tsx';
import { expiryPhrase, isDead, usedPhrase } from '../ui/key-words.ts';
import { Env, Prefix, Status } from '../ui/marks.tsx';

interface RowProps {
  of: Key;
  usage: UsageDay[] | undefined;
  mine: boolean;
  /** The one row of the list that Tab reaches. */
  stop: boolean;
  onFocus: () => void;
  onOpen: () => void;
}

/** Three lines: what it is for, how it is recognised, how long and when. */
export function KeyRow({ of: key, usage, mine, stop, onFocus, onOpen }: RowProps) {
  const rotating = key.rotation !== null && !isDead(key.status);
  return (
    <li>
      <button
        type="button"
        class={`krow ${isDead(key.status) ? 'krow--dead' : ''}`}
        data-key={key.id}
        tabIndex={stop ? 0 : -1}
        onFocus={onFocus}
        onClick={onOpen}
      >
        <span class="krow__name truncate" title={key.name}>
          {key.name}
        </span>
        <Status of={key} mine={mine} note={rotating ? 'rotating' : undefined} />
        <Prefix of={key.prefix} />
        {usage ? <Sparkline days={usage} /> : <span />}
        <span class="krow__meta">
          <Env of={key.environment} />
          <i>·</i>
          <span>{expiryPhrase(key, now.value)}</span>
          <i>·</i>
          <span class="truncate">{mine ? usedPhrase(key, now.value) : key.createdBy.name}</span>
        </span>
      </button>
    </li>
  );
}
