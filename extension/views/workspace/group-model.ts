import { permissionsByResource } from '../../ui/key-words.ts';

interface Row {
  resource: string;
  words: string;
  actions: string[];
}

/** Common actions first, the others by name. */
const RANK = ['read', 'write'];
const rank = (action: string) => (RANK.includes(action) ? RANK.indexOf(action) : RANK.length);

/** Every permission that is known, by resource: what a group can be given by ticking. */
export function matrixOf(permissions: readonly string[]): Row[] {
  const resources = new Map<string, Set<string>>();
  for (const permission of permissions) {
    const [resource = '', action = ''] = permission.split(':');
    resources.set(resource, (resources.get(resource) ?? new Set()).add(action));
  }
  return [...resources]
    .map(([resource, actions]) => ({
      resource,
      words: permissionsByResource([`${resource}:`])[0]?.resource ?? resource,
      actions: [...actions].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)),
    }))
    .sort((a, b) => a.words.localeCompare(b.words));
}

interface Fields {
  name: string;
  description: string;
  permissions: readonly string[];
}

/** What saving would change, in words: `events:write added`. */
export function groupChanges(before: Fields, after: Fields): string[] {
  return [
    ...(before.name === after.name ? [] : ['name changed']),
    ...(before.description === after.description ? [] : ['description changed']),
    ...after.permissions.filter((p) => !before.permissions.includes(p)).map((p) => `${p} added`),
    ...before.permissions.filter((p) => !after.permissions.includes(p)).map((p) => `${p} removed`),
  ];
}
