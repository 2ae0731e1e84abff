/** What the provider said and what is known here, when somebody comes back from it to sign in. */
export interface SsoArrival {
  /** Whether this account at the provider is linked to a person here. */
  linked: boolean;
  /** Whether some person here has the e-mail address that the provider says. */
  addressKnown: boolean;
  /**
   * Whether the workspace's identity provider itself made that account (SCIM) and nobody can sign in to it yet in any way:
   * then there is nothing to take over.
   */
  awaited: boolean;
  /** In lower case; undefined when the provider gave none that can be used. */
  email: string | undefined;
  emailVerified: boolean;
  /** E-mail domains whose people may join by themselves. */
  domains: readonly string[];
  /** The address of the invitation that they came with; undefined without one. */
  invited: string | undefined;
}

export type SsoDecision =
  /** The person that the link names. */
  | 'sign_in'
  /** The awaited person of that address, who is linked by this. */
  | 'first_sign_in'
  /** A new person who joins by the invitation. */
  | 'join_by_invitation'
  /** A new person who joins as a member, by domain. */
  | 'join_by_domain'
  /** An account has that address: whoever knows its password or passkey may link. An equal address alone proves nothing. */
  | 'link_first'
  | 'not_verified'
  /** The invitation is for another address. */
  | 'other_address'
  /** Nobody here, and nobody who may join by themselves. */
  | 'unknown';

/** Accounts are found by issuer and subject (OpenID Connect Core 1.0, 5.7), never by e-mail address. */
export function decideArrival(arrival: SsoArrival): SsoDecision {
  const { email, invited } = arrival;
  if (arrival.linked) return 'sign_in';
  if (email === undefined || !arrival.emailVerified) return 'not_verified';
  if (arrival.addressKnown) return arrival.awaited ? 'first_sign_in' : 'link_first';
  if (invited !== undefined) return invited === email ? 'join_by_invitation' : 'other_address';
  return arrival.domains.includes(email.slice(email.lastIndexOf('@') + 1)) ? 'join_by_domain' : 'unknown';
}
