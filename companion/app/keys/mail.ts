import type { Deps } from '../deps.ts';

/** What a mail says of a key. */
interface KeyInMail {
  name: string;
  prefix: string;
  environment: string;
  technicalOwner: string | null;
  /** E-mail address. */
  owner: string;
  workspace: string;
}

const when = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' at ')} UTC`;
const facts = (key: KeyInMail) => `${key.name} (${key.prefix}…, ${key.environment}) of ${key.workspace}`;

/** Sends it after the answer; a mail that can't be sent is logged, and changes nothing. */
function send(deps: Deps, to: readonly string[], subject: string, text: string): void {
  const { mailer } = deps;
  if (!mailer) return;
  for (const address of new Set(to))
    deps.background.run('mail about a key', () => mailer.send({ to: address, subject, text }));
}

/** Tells the owner and whoever looks after what uses the key that it is about to expire. */
export function mailExpiry(deps: Deps, key: KeyInMail, expiresAt: number, days: number): void {
  const to = [key.owner, ...(key.technicalOwner === null ? [] : [key.technicalOwner])];
  send(
    deps,
    to,
    `API key ${key.name} expires in ${days === 1 ? '1 day' : `${days} days`}`,
    `The API key ${facts(key)} expires on ${when(expiresAt)}. Whatever uses it loses access then.

Its owner, ${key.owner}, can rotate it: name and settings stay the same, the secret and the expiry are new.
`,
  );
}

/** Tells whoever looks after what uses the key that it has a new secret. Its owner knows: they rotated it. */
export function mailRotation(deps: Deps, key: KeyInMail, oldSecretEndsAt: number, now: number): void {
  if (key.technicalOwner === null || key.technicalOwner === key.owner) return;
  const until = oldSecretEndsAt > now ? `works until ${when(oldSecretEndsAt)}` : 'has stopped working';
  send(
    deps,
    [key.technicalOwner],
    `API key ${key.name} was rotated`,
    `The API key ${facts(key)} has a new secret. The old one ${until}: everything that uses it needs the new one.

Its owner, ${key.owner}, has the new secret.
`,
  );
}
