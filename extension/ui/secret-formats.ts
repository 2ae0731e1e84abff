/** The forms in which a fresh secret can be copied. All of them carry it as HEEX_API_KEY or as the header that takes it. */
export const SECRET_FORMATS = ['key', 'shell', 'env', 'docker', 'curl'] as const;
export type SecretFormat = (typeof SECRET_FORMATS)[number];

export const FORMAT_LABELS: Record<SecretFormat, string> = {
  key: 'Key',
  shell: 'Shell',
  env: '.env',
  docker: 'Docker',
  curl: 'curl',
};

/** What stands before and after the secret in a form. `server` is the address of the companion, without a final slash. */
export function around(format: SecretFormat, server: string): readonly [before: string, after: string] {
  switch (format) {
    case 'key':
      return ['', ''];
    case 'shell':
      return ['export HEEX_API_KEY=', ''];
    case 'env':
      return ['HEEX_API_KEY=', ''];
    case 'docker':
      return ['docker run -e HEEX_API_KEY=', ' your-image'];
    case 'curl':
      return ['curl -H "X-API-Key: ', `" ${server}/v1/whoami`];
  }
}

/** The text that is copied. A secret is base62 and underscores, so no form needs quoting. */
export function formatSecret(format: SecretFormat, secret: string, server: string): string {
  const [before, after] = around(format, server);
  return `${before}${secret}${after}`;
}
