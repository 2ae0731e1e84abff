import { EXPIRATIONS, KEY_STATUSES, type KeyStatus } from '../../shared/contract/keys.ts';
import { type Filters, filters, setFilters } from '../state/filters.ts';
import { members } from '../state/team.ts';
import { isAdmin } from '../state/workspace.ts';
import { Button } from '../ui/button.tsx';
import { RemovableChip } from '../ui/choice.tsx';
import { STATUS_WORDS } from '../ui/key-words.ts';
import { MenuItem, useMenu } from '../ui/menu.tsx';

type Expiration = (typeof EXPIRATIONS)[number];
export const EXPIRATION_WORDS: Record<Expiration, string> = {
  valid: 'Valid',
  expiring_soon: 'Expiring Soon',
  expired: 'Expired',
};

/** Status, expiration and, for admins, whose keys. */
export function FilterMenu() {
  const menu = useMenu();
  const { status, expiration, owner } = filters.value;
  const set = (change: Partial<Filters>) => menu.choose(() => setFilters(change));
  const item = (words: string, on: boolean, change: Partial<Filters>) => (
    <MenuItem key={words} checked={on} onSelect={set(change)}>
      {words}
    </MenuItem>
  );
  return (
    <>
      <Button
        variant="ghost"
        size="sm"
        icon="filter"
        label="Filter by status"
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      />
      {menu.show({
        label: 'Filter',
        align: 'end',
        width: 208,
        children: (
          <>
            <fieldset aria-label="Status">
              <div class="menu__label" role="presentation">
                Status
              </div>
              {item('Any status', status === null, { status: null })}
              {KEY_STATUSES.map((s: KeyStatus) => item(STATUS_WORDS[s], status === s, { status: s }))}
            </fieldset>
            <hr />
            <fieldset aria-label="Expiration">
              <div class="menu__label" role="presentation">
                Expiration
              </div>
              {item('Any expiration', expiration === null, { expiration: null })}
              {EXPIRATIONS.map((e) => item(EXPIRATION_WORDS[e], expiration === e, { expiration: e }))}
            </fieldset>
            {isAdmin.value && (
              <>
                <hr />
                <fieldset aria-label="Owner">
                  <div class="menu__label" role="presentation">
                    Owner
                  </div>
                  {item('My keys', owner === null, { owner: null })}
                  {item('Everyone’s keys', owner === 'all', { owner: 'all' })}
                </fieldset>
              </>
            )}
          </>
        ),
      })}
    </>
  );
}

const ownerWords = (owner: string) =>
  owner === 'all' ? 'Everyone’s keys' : `Owner: ${members.value?.find((m) => m.id === owner)?.name ?? 'a member'}`;

/** What the menu has set, with the way to take it off. */
export function ActiveFilters() {
  const { status, expiration, owner } = filters.value;
  const on: [words: string, off: Partial<Filters>][] = [];
  if (status) on.push([STATUS_WORDS[status], { status: null }]);
  if (expiration) on.push([EXPIRATION_WORDS[expiration], { expiration: null }]);
  if (owner && isAdmin.value) on.push([ownerWords(owner), { owner: null }]);
  if (on.length === 0) return null;
  return (
    <div class="chips active-filters">
      {on.map(([words, off]) => (
        <RemovableChip key={words} label={`Remove filter: ${words}`} onRemove={() => setFilters(off)}>
          {words}
        </RemovableChip>
      ))}
    </div>
  );
}
