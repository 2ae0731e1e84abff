const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** 256 random bits as 43 base64url characters: fit for a code verifier (RFC 7636, 4.1) and for `state`. */
export const randomText = (randomBytes: (n: number) => Uint8Array): string => base64url(randomBytes(32));

/** The S256 code challenge of a verifier (RFC 7636, 4.2). */
export async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}
