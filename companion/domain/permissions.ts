/**
 * What a key may do: what its group holds, narrowed where the key is. Without a group: nothing.
 * @param narrowing null means all of the group
 */
export function effectivePermissions(
  group: readonly string[] | null,
  narrowing: readonly string[] | null,
): readonly string[] {
  if (group === null) return [];
  return narrowing === null ? group : group.filter((permission) => narrowing.includes(permission));
}

/** The positions in a narrowing that the group does not hold: nobody gives a key more than its group. */
export function beyondGroup(group: readonly string[], narrowing: readonly string[]): number[] {
  return narrowing.flatMap((permission, i) => (group.includes(permission) ? [] : [i]));
}
