/** What a person types, as an origin, or the reason why it can't be one. */
export type Address = { ok: true; origin: string; host: string } | { ok: false; message: string };

// Hosts that never leave this computer (RFC 6761, 6.3) and that a content security policy can name.
const LOOPBACK = /^(localhost|127\.0\.0\.1)$|\.localhost$/;

// Letters, digits and inner hyphens between single dots (RFC 1123, 2.1), or an IPv6 address in brackets.
const HOST_NAME =
  /^(?=.{1,254}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$|^\[[0-9a-f:.]+\]$/;

/** Whether a host can be a name or address of a server. Browsers differ in what `URL` takes: some turn a space into `%20`. */
export const isHostName = (host: string): boolean => HOST_NAME.test(host);

/**
 * Makes an origin of a typed server address: `keys.acme.example` becomes `https://keys.acme.example`. Plain http is for
 * this computer only, because a session token would otherwise travel in clear.
 */
export function parseAddress(typed: string): Address {
  const text = typed.trim();
  if (!text) return { ok: false, message: 'Type the address of your team’s server.' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme && scheme !== 'https' && scheme !== 'http') {
    return { ok: false, message: `An address starts with https://, not ${scheme}://.` };
  }
  const host = /^(?:[a-z]+:\/\/)?(\[[^\]]*\]|[^/:?#]*)/i.exec(text)?.[1] ?? '';
  const bare = scheme ? text : `${LOOPBACK.test(host.toLowerCase()) ? 'http' : 'https'}://${text}`;
  if (!URL.canParse(bare)) return { ok: false, message: 'That isn’t an address. It looks like keys.acme.example.' };
  const url = new URL(bare);
  if (url.username || url.password) return { ok: false, message: 'Leave the name and password out of the address.' };
  if (!isHostName(url.hostname))
    return { ok: false, message: 'That isn’t an address. It looks like keys.acme.example.' };
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    return {
      ok: false,
      message: 'Use https. Plain http works only for this computer, or others could read what is sent.',
    };
  }
  return { ok: true, origin: url.origin, host: url.host };
}
