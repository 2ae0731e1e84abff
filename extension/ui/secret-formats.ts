/** The forms in which a fresh secret can be copied. */
export const SECRET_FORMATS = ['key', 'shell', 'dotenv', 'docker', 'curl'] as const;
export type SecretFormat = (typeof SECRET_FORMATS)[number];

export const FORMAT_LABELS: Record<SecretFormat, string> = {
  key: 'Key',
  shell: 'Shell',
  dotenv: '.env',
  docker: 'Docker',
  curl: 'curl',
};

/** A form as it was remembered, or the plain key when there is none of that name. */
export const asFormat = (name: string): SecretFormat => SECRET_FORMATS.find((format) => format === name) ?? 'key';

/** What stands before and after the secret. `server` is the origin of the companion. */
export function around(format: SecretFormat, server: string): readonly [before: string, after: string] {
  switch (format) {
    case 'key':
      return ['', ''];
    case 'shell':
      return ['export HEEX_API_KEY=', ''];
    case 'dotenv':
      return ['HEEX_API_KEY=', ''];
    case 'docker':
      return ['docker run -e HEEX_API_KEY=', ' your-image'];
    case 'curl':
      return ['curl -H "X-API-Key: ', `" ${server}/v1/whoami`];
  }
}

/** The text that is copied. A secret is letters, digits and underscores, so no form needs quoting. */
export function formatSecret(format: SecretFormat, secret: string, server: string): string {
  const [before, after] = around(format, server);
  return `${before}${secret}${after}`;
}
