import type { Ctx } from './context.ts';

/** The address of the peer; IPv4 that arrives on an IPv6 socket is IPv4. */
export function socketAddress(c: Ctx): string | null {
  const address = c.env.incoming.socket.remoteAddress;
  return address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? null;
}
