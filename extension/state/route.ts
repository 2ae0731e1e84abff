import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { browser } from 'wxt/browser';
import * as z from 'zod/mini';
import { persisted } from './persisted.ts';
import { surface } from './surface.ts';

/** Screens of popup and workspace. What is shown over them (menus, sheets) is the view's own affair. */
export const SCREENS = [
  'connect',
  'keys',
  'new',
  'key',
  'edit',
  'rotate',
  'revoke',
  'team',
  'remove',
  'overview',
  'agents',
  'log',
  'members',
  'groups',
  'audit',
  'account',
  'settings',
] as const;
export type Screen = (typeof SCREENS)[number];

const routeSchema = z.object({
  screen: z.enum(SCREENS),
  /** The key or member that the screen is about. */
  id: z.optional(z.string()),
  tab: z.optional(z.string()),
});
export interface Route {
  screen: Screen;
  id?: string | undefined;
  tab?: string | undefined;
}

const HOME: Record<'popup' | 'workspace', Route> = { popup: { screen: 'keys' }, workspace: { screen: 'keys' } };
const HISTORY = 20;

// The popup comes back where it was left; the workspace has its address for that.
const popupStack = persisted<Route[]>('route.popup', z.array(routeSchema), [HOME.popup]);
const workspaceRoute = signal<Route>(HOME.workspace);

/** Where this page is. */
export const route: ReadonlySignal<Route> = computed(() =>
  surface.value === 'popup' ? (popupStack.value.at(-1) ?? HOME.popup) : workspaceRoute.value,
);

/** `/key/key_123/requests`, as it stands after the `#` of the workspace's address. */
export function routePath({ screen, id, tab }: Route): string {
  return `/${[screen, id, id && tab]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => encodeURIComponent(part as string))
    .join('/')}`;
}

/** The route of a path, or the key list when it names none. */
export function parseRoute(path: string): Route {
  const [screen, id, tab] = path
    .replace(/^#?\/?/, '')
    .split('/')
    .map(safeDecode);
  const parsed = routeSchema.safeParse({ screen, ...(id ? { id } : {}), ...(tab ? { tab } : {}) });
  return parsed.success ? parsed.data : HOME.workspace;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Goes to a screen; `back` returns from it. */
export function navigate(to: Route): void {
  if (surface.value === 'workspace') {
    location.hash = routePath(to);
    workspaceRoute.value = to;
    return;
  }
  if (routePath(to) !== routePath(route.value)) popupStack.value = [...popupStack.value, to].slice(-HISTORY);
}

/** Goes to a screen instead of this one: after a form was sent, Back should not lead into it again. */
export function replaceRoute(to: Route): void {
  if (surface.value === 'workspace') {
    history.replaceState(null, '', `#${routePath(to)}`);
    workspaceRoute.value = to;
    return;
  }
  const before = popupStack.value.slice(0, -1);
  // Where it came from that very screen, Back would seem to do nothing.
  const under = before.at(-1);
  popupStack.value = under && routePath(under) === routePath(to) ? before : [...before, to];
}

/** The screen that another one lies on, in the workspace. */
function parentOf({ screen, id }: Route): Route {
  if (screen === 'remove') return { screen: 'members' };
  return screen === 'edit' || screen === 'rotate' || screen === 'revoke' ? { screen: 'key', id } : HOME.workspace;
}

/** Goes back one screen; from the first one to the key list. A page of the browser never ends by it. */
export function back(): void {
  if (surface.value === 'workspace') {
    navigate(parentOf(route.value));
    return;
  }
  popupStack.value = popupStack.value.length > 1 ? popupStack.value.slice(0, -1) : [HOME.popup];
}

const isAt = (at: Route) => routePath(route.peek()) === routePath(at);

/** Goes back from a screen that is done with, unless the person has left it already, e.g. while the server was asked. */
export function backFrom(at: Route): void {
  if (isAt(at)) back();
}

/** Puts a screen in place of one that is done with, unless the person has left that already. */
export function replaceFrom(at: Route, to: Route): void {
  if (isAt(at)) replaceRoute(to);
}

/** Also when it is this page that puts the secret of a new key away, the popup does not open on the form of that key again. */
export function leaveNewKey(): void {
  const others = popupStack.value.filter(({ screen }) => screen !== 'new');
  if (others.length < popupStack.value.length) popupStack.value = others.length > 0 ? others : [HOME.popup];
}

/** Follows the address of the workspace page. */
export function followAddress(): void {
  workspaceRoute.value = parseRoute(location.hash);
  addEventListener('hashchange', () => {
    workspaceRoute.value = parseRoute(location.hash);
  });
}

/** Opens the workspace in a tab, or brings an open one to the front, at that screen. */
export async function openWorkspace(to: Route = HOME.workspace): Promise<void> {
  const url = `${location.origin}/workspace.html`;
  const contexts = 'getContexts' in browser.runtime ? await browser.runtime.getContexts({ contextTypes: ['TAB'] }) : [];
  const open = contexts.find((c) => c.documentUrl?.startsWith(url) && c.tabId >= 0);
  const target = `${url}#${routePath(to)}`;
  if (open) await browser.tabs.update(open.tabId, { active: true, url: target });
  else await browser.tabs.create({ url: target });
  if (surface.value === 'popup') close();
}
