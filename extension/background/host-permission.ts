import { browser } from 'wxt/browser';
import { hostPattern } from '../messages/origin.ts';

export const isAllowed = (origin: string): Promise<boolean> =>
  browser.permissions.contains({ origins: [hostPattern(origin)] });

/** Gives back every host permission but that of one server: an address that was only tried keeps none. */
export async function keepPermission(origin: string | undefined): Promise<void> {
  const { origins = [] } = await browser.permissions.getAll();
  const others = origins.filter((pattern) => origin === undefined || pattern !== hostPattern(origin));
  if (others.length > 0) await browser.permissions.remove({ origins: others }).catch(() => false);
}
