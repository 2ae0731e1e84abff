import { startClock } from './clock.ts';
import { connection } from './connection.ts';
import { findInsertTarget } from './insert.ts';
import { restorePersisted } from './persisted.ts';
import { followPublished } from './published.ts';
import { followAddress } from './route.ts';
import { type Surface, surface } from './surface.ts';
import { refresh } from './workspace.ts';

/** Readies the state of a page: what was shown last is there when this resolves, and is read anew behind it. */
export async function startState(page: Surface): Promise<void> {
  surface.value = page;
  if (page === 'workspace') followAddress();
  startClock();
  await Promise.all([restorePersisted(), followPublished(), page === 'popup' ? findInsertTarget() : undefined]);
  if (connection.value.status === 'connected') void refresh();
}
