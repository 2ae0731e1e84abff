import type { KeyView } from '../app/deps.ts';

// Everything but visible ASCII and the space; the percent sign too, so that decoding gives back exactly what was encoded.
const UNSAFE = /[^ -$&-~]/u;

/**
 * A text as the value of a header: percent-encoded UTF-8 (RFC 3986, 2.1) where it is not plain ASCII, so that a name can't end the
 * header or begin another. `decodeURIComponent` reads it.
 */
export function headerValue(text: string): string {
  return UNSAFE.test(text) ? text.replace(/[^ -$&-~]+/gu, (part) => encodeURIComponent(part)) : text;
}

/**
 * Who calls, for the service behind a gateway. Every header is always there, also when it is empty: a gateway that copies only
 * those that are present would let through what its client sent under that name.
 * @returns names and values, one after another
 */
export function identityHeaders(key: KeyView): string[] {
  return [
    'X-Heex-Key-Id',
    key.keyId,
    'X-Heex-Key-Name',
    headerValue(key.name),
    'X-Heex-Owner',
    key.sharedOwner.value.membershipId,
    'X-Heex-Workspace',
    key.workspaceId,
    'X-Heex-Environment',
    key.environment,
    'X-Heex-Permissions',
    [...key.permissions].join(' '),
    'X-Heex-Customers',
    headerValue(key.customers.join(' ')),
  ];
}
