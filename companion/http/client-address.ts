import type { IncomingMessage } from 'node:http';
import { clientAddress, type TrustedProxies } from '../domain/client-address.ts';

/** The address of the peer; IPv4 that arrives on an IPv6 socket is IPv4. */
function socketAddress(request: IncomingMessage): string | null {
  const address = request.socket.remoteAddress;
  if (address === undefined) return null;
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

export type AddressOf = (request: IncomingMessage) => string | null;

/** Tells where requests come from. What it gives throws as `clientAddress` does. */
export function createAddressOf(trust: TrustedProxies): AddressOf {
  return (request) => {
    // Node joins repeated lines of this header with a comma, in their order.
    const forwarded = request.headers['x-forwarded-for'];
    return clientAddress(socketAddress(request), Array.isArray(forwarded) ? forwarded.join() : forwarded, trust);
  };
}
