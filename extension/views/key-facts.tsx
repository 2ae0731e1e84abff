import { useEffect, useState } from 'preact/hooks';
import type { Key, RequestRow, UsageDay } from '../../shared/contract/keys.ts';
import { now } from '../state/clock.ts';
import { listGroups } from '../state/workspace.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { UsageChart, UsageLegend, UsageTable } from '../ui/chart.tsx';
import { total } from '../ui/chart-data.ts';
import { Facts } from '../ui/facts.tsx';
import { ago, fullDay, moment, ms, number, until } from '../ui/format.ts';
import { isDead, ratePhrase, unusedPhrase } from '../ui/key-words.ts';
import { Env, Permissions, Tag } from '../ui/marks.tsx';
import { When } from '../ui/when.tsx';
import { AgentNames, useAgentsOf } from './agents-keep.tsx';
import { copyPrefix } from './key-shortcuts.tsx';
import { isMine } from './keys-states.tsx';

/** Thirty days by outcome, as a drawing or as a table. */
export function UsageSection({ days }: { days: UsageDay[] }) {
  const [asTable, setAsTable] = useState(false);
  return (
    <section class="section">
      <h2 class="row row--between">
        Requests, 30 days<span class="num figure">{number(total(days))}</span>
      </h2>
      {asTable ? <UsageTable days={days} /> : <UsageChart days={days} />}
      <div class="row row--between row--top">
        {asTable ? <span /> : <UsageLegend days={days} />}
        <LinkButton class="small nowrap usage-toggle" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Show as chart' : 'Show as table'}
        </LinkButton>
      </div>
    </section>
  );
}

const REFUSAL_WORDS: Record<string, string> = {
  unauthorized: '401 Refused',
  forbidden: '403 Refused',
  rate_limited: '429 Limited',
};

/** Enrolling agents is a use that nothing depends on any more, so it is told apart from none and from others. */
function NoDirectUse({ of: key }: { of: Key }) {
  const found = useAgentsOf([key.id]);
  return (
    <div class="section">
      <div class="well">
        <b class="semi">{unusedPhrase(key)}</b>
        {key.enrolledAgents > 0 ? (
          <div class="small muted">
            {found && found.agents.length > 0 && (
              <>
                <AgentNames of={found} />{' '}
              </>
            )}
            Used for nothing else.
          </div>
        ) : (
          <p class="small muted">The first call with it appears here within a few seconds.</p>
        )}
      </div>
    </div>
  );
}

/** When, from where and by which program it was used last; a refused try after that is said instead. */
export function LastUse({ of: key, latest }: { of: Key; latest: RequestRow | undefined }) {
  const use = key.lastUsed;
  const newer = latest && (!use || ms(latest.at) >= ms(use.at)) ? latest : undefined;
  const refused = newer && newer.outcome !== 'valid' ? newer : undefined;
  const shown = refused ?? use;
  if (!shown) return <NoDirectUse of={key} />;
  return (
    <div class="section">
      <div class="well">
        <div class="row row--between">
          <b class="semi">
            {refused ? 'Last tried' : 'Last used'} <When at={shown.at} words={ago} />
          </b>
          {refused ? (
            <Tag tone="bad" icon="lock">
              {REFUSAL_WORDS[refused.outcome]}
            </Tag>
          ) : (
            <Tag tone="ok" icon="check">
              Allowed
            </Tag>
          )}
        </div>
        <Facts
          narrow
          rows={[
            ['When', <When key="at" at={shown.at} words={(at, n) => moment(at, n, true)} />],
            ['From', shown.ip && <code>{shown.ip}</code>],
            ['Client', shown.userAgent && <code>{shown.userAgent}</code>],
            ['Reason', refused && <code>{refused.code}</code>],
          ]}
        />
      </div>
    </div>
  );
}

/** The group's name once it is known; the permissions are in the key itself. */
function useGroupName(groupId: string | null): string | undefined {
  const [name, setName] = useState<string>();
  useEffect(() => {
    if (groupId === null) return;
    let gone = false;
    void listGroups().then((result) => {
      if (!gone && result.ok) setName(result.value.find((group) => group.id === groupId)?.name);
    });
    return () => {
      gone = true;
    };
  }, [groupId]);
  return name;
}

function Expiry({ of: key }: { of: Key }) {
  if (!key.expiresAt) return <>Never</>;
  return (
    <>
      {fullDay(key.expiresAt)} {!isDead(key.status) && <small>{until(key.expiresAt, now.value)}</small>}
    </>
  );
}

const lines = (values: readonly string[]) =>
  values.length > 0 && (
    <ul>
      {values.map((value) => (
        <li key={value}>
          <code>{value}</code>
        </li>
      ))}
    </ul>
  );

/** What the key is and may do. */
export function KeyFacts({ of: key }: { of: Key }) {
  const group = useGroupName(key.groupId);
  return (
    <section class="section">
      <h2>Details</h2>
      <Facts
        rows={[
          [
            'Prefix',
            <span key="prefix" class="row" style="gap:4px">
              <code class="nowrap">{key.prefix}…</code>
              <Button
                variant="ghost"
                size="sm"
                icon="copy"
                label="Copy prefix"
                class="facts__button"
                onClick={() => void copyPrefix(key)}
              />
            </span>,
          ],
          ['Name', <span key="name">{key.name}</span>],
          ['Environment', <Env key="env" of={key.environment} />],
          [
            'Group',
            (key.groupId !== null || key.permissions.length > 0) && (
              <>
                {key.groupId === null ? <span class="muted">A group that was deleted since</span> : group}
                <Permissions of={key.permissions} />
              </>
            ),
          ],
          [
            'Created',
            <>
              {fullDay(key.createdAt)} <small>by {isMine(key) ? 'you' : key.createdBy.name}</small>
            </>,
          ],
          ['Expires', <Expiry key="expiry" of={key} />],
          [
            'Requests',
            <span key="count" class="num">
              {number(key.usageCount)} <small>all time</small>
            </span>,
          ],
          ['Rate limit', key.rateLimit && ratePhrase(key.rateLimit)],
          ['IP allowlist', key.ipAllowlist.length > 0 ? lines(key.ipAllowlist) : 'Any address'],
          ['Customers', lines(key.customers)],
          ['Looked after by', key.technicalOwner],
          ['Description', key.description && <span class="muted pre-line">{key.description}</span>],
        ]}
      />
    </section>
  );
}
