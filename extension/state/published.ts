import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { browser } from 'wxt/browser';
import { PUBLISHED, type PublishedName, type PublishedValue } from '../messages/published.ts';

type Mirrors = { [N in PublishedName]: Signal<PublishedValue<N> | undefined> };

/** What the background publishes, as it is now; undefined while there is none. Writable for the optimistic parts only. */
export const mirrors: Mirrors = {
  connection: signal(undefined),
  snapshot: signal(undefined),
  sync: signal(undefined),
  fresh: signal(undefined),
  unfinished: signal(undefined),
  team: signal(undefined),
  preferences: signal(undefined),
};

/** False until the first read of storage: nothing is known yet, so nothing should be claimed. */
const ready = signal(false);
export const stateReady: ReadonlySignal<boolean> = ready;

function take<N extends PublishedName>(name: N, stored: unknown): void {
  const parsed = PUBLISHED[name].schema.safeParse(stored);
  // A value of an earlier version that no longer fits is as good as none.
  mirrors[name].value = parsed.success ? (parsed.data as PublishedValue<N>) : undefined;
}

/** Reads what is published and follows its changes, until the page closes. */
export async function followPublished(): Promise<void> {
  const names = Object.keys(PUBLISHED) as PublishedName[];
  browser.storage.onChanged.addListener((changes, area) => {
    for (const name of names) {
      const change = changes[PUBLISHED[name].key];
      if (change && PUBLISHED[name].area === area) take(name, change.newValue);
    }
  });
  const [local, session] = await Promise.all(
    (['local', 'session'] as const).map((area) =>
      browser.storage[area].get(names.filter((n) => PUBLISHED[n].area === area).map((n) => PUBLISHED[n].key)),
    ),
  );
  for (const name of names) {
    take(name, (PUBLISHED[name].area === 'local' ? local : session)?.[PUBLISHED[name].key]);
  }
  ready.value = true;
}
