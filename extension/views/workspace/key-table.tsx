import type { Key } from '../../../shared/contract/keys.ts';
import { now } from '../../state/clock.ts';
import { usageOf } from '../../state/keys.ts';
import { navigate, route } from '../../state/route.ts';
import { isAdmin } from '../../state/workspace.ts';
import { Sparkline } from '../../ui/chart.tsx';
import { ago, day, fullDay, number, until } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { isDead, reasonWords, unusedPhrase } from '../../ui/key-words.ts';
import { Env, Prefix, Status } from '../../ui/marks.tsx';
import { When } from '../../ui/when.tsx';
import { isMine } from '../keys-states.tsx';
import { KeyMenu } from './key-menu.tsx';
import { nextOrder, type Order, type Sort } from './key-sort.ts';

interface TableProps {
  keys: Key[];
  order: Order;
  selected: ReadonlySet<string>;
  onOrder: (order: Order) => void;
  onSelect: (selected: ReadonlySet<string>) => void;
}

const COLUMNS: readonly { by?: Sort; words: string; right?: boolean }[] = [
  { by: 'name', words: 'Name' },
  { by: 'environment', words: 'Environment' },
  { by: 'status', words: 'Status' },
  { by: 'created', words: 'Created' },
  { by: 'expires', words: 'Expires' },
  { by: 'used', words: 'Last used' },
  { by: 'requests', words: 'Requests', right: true },
  { words: 'Limit', right: true },
];

function Head({ order, onOrder }: Pick<TableProps, 'order' | 'onOrder'>) {
  return COLUMNS.map(({ by, words, right }) => {
    const sorted = by !== undefined && order.by === by;
    return (
      <th
        key={words}
        scope="col"
        class={right ? 'r' : undefined}
        aria-sort={sorted ? (order.descending ? 'descending' : 'ascending') : undefined}
      >
        {by ? (
          <button type="button" onClick={() => onOrder(nextOrder(order, by))}>
            {words}
            {sorted && <Icon name="down" class={`icon--sm ${order.descending ? '' : 'icon--up'}`} />}
          </button>
        ) : (
          words
        )}
      </th>
    );
  });
}

function Expiry({ of: key }: { of: Key }) {
  const soon = key.status === 'expiring_soon';
  if (key.expiresAt === null)
    return (
      <span class="cell">
        Never<small>no reminder</small>
      </span>
    );
  return (
    <span class="cell">
      {fullDay(key.expiresAt)}
      <small>
        {key.status === 'revoked' && key.revokedAt ? (
          `cut ${day(key.revokedAt, now.value)}`
        ) : (
          <span class={soon ? 'warn semi' : undefined}>
            <When at={key.expiresAt} words={key.status === 'expired' ? ago : until} />
          </span>
        )}
      </small>
    </span>
  );
}

/** Status and, of a revoked key, why. */
function StatusCell({ of: key }: { of: Key }) {
  return (
    <span class="cell">
      <Status of={key} note="" />
      {key.revokedReason && <small>{reasonWords(key.revokedReason, isMine(key))}</small>}
      {key.rotation && !isDead(key.status) && <small>rotating</small>}
    </span>
  );
}

function NameCell({ of: key }: { of: Key }) {
  return (
    <span class="cell">
      <button
        type="button"
        class="cell__open"
        data-key={key.id}
        title={key.name}
        onClick={() => navigate({ screen: 'key', id: key.id })}
      >
        {key.name}
      </button>
      <small>
        <Prefix of={key.prefix} />
      </small>
    </span>
  );
}

function LastUse({ of: key }: { of: Key }) {
  if (!key.lastUsed) return <span class="subtle">{unusedPhrase(key)}</span>;
  return (
    <span class="cell">
      <When at={key.lastUsed.at} words={ago} />
      <small>{key.lastUsed.ip ? <code title={key.lastUsed.ip}>{key.lastUsed.ip}</code> : '—'}</small>
    </span>
  );
}

function Requests({ of: key }: { of: Key }) {
  const usage = usageOf(key.id);
  return (
    <span class="cell num">
      {number(key.usageCount)}
      {usage && (
        <small class="cell__spark">
          <Sparkline days={usage} height={12} />
        </small>
      )}
    </span>
  );
}

function Limit({ of: { rateLimit } }: { of: Key }) {
  if (!rateLimit) return <span class="subtle">—</span>;
  return (
    <span class="cell num">
      {number(rateLimit.limit)}
      <small>in {number(rateLimit.windowSeconds)} s</small>
    </span>
  );
}

function Row({ of: key, checked, onCheck }: { of: Key; checked: boolean; onCheck: (on: boolean) => void }) {
  const open = route.value.id === key.id;
  return (
    <tr class={checked || open ? 'is-selected' : undefined}>
      <td>
        <input
          type="checkbox"
          class="check"
          aria-label={`Select ${key.name}`}
          checked={checked}
          disabled={isDead(key.status)}
          onChange={(event) => onCheck(event.currentTarget.checked)}
        />
      </td>
      <td>
        <NameCell of={key} />
      </td>
      <td class="small">
        <Env of={key.environment} />
      </td>
      <td>
        <StatusCell of={key} />
      </td>
      <td>
        <span class="cell">
          {fullDay(key.createdAt)}
          <small title={key.createdBy.email}>{isAdmin.value ? key.createdBy.name : 'by you'}</small>
        </span>
      </td>
      <td>
        <Expiry of={key} />
      </td>
      <td>
        <LastUse of={key} />
      </td>
      <td class="r">
        <Requests of={key} />
      </td>
      <td class="r">
        <Limit of={key} />
      </td>
      <td class="r">
        <KeyMenu of={key} />
      </td>
    </tr>
  );
}

export function KeyTable({ keys, order, selected, onOrder, onSelect }: TableProps) {
  const able = keys.filter((key) => !isDead(key.status));
  const all = able.length > 0 && able.every((key) => selected.has(key.id));
  const toggle = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    onSelect(next);
  };
  return (
    <table class="table table--fixed table--keys">
      <caption class="sr">API keys</caption>
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              class="check"
              aria-label="Select all"
              checked={all}
              disabled={able.length === 0}
              onChange={() => onSelect(new Set(all ? [] : able.map((key) => key.id)))}
            />
          </th>
          <Head order={order} onOrder={onOrder} />
          <th scope="col">
            <span class="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <Row key={key.id} of={key} checked={selected.has(key.id)} onCheck={(on) => toggle(key.id, on)} />
        ))}
      </tbody>
    </table>
  );
}
