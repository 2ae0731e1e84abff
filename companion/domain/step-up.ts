/** How long a sign-in counts as recent, in milliseconds. */
export const RECENT_MS = 15 * 60_000;

/**
 * Whether somebody proved who they are recently enough for a dangerous action.
 * @param authenticatedAt when they last did, in milliseconds
 */
export function isRecent(authenticatedAt: number, now: number): boolean {
  return now - authenticatedAt <= RECENT_MS;
}
