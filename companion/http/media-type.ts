import { Refusal } from '../domain/refusal.ts';

/**
 * The type in a `Content-Type`, in lower case, without parameters (RFC 9110, 8.3.1).
 * @throws Refusal unsupported_media_type when it says that the text is not in UTF-8, as which it would be read
 */
export function mediaType(header: string | undefined): string {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';');
  for (const parameter of parameters) {
    const [name, value] = parameter.split('=');
    const charset = name?.trim() === 'charset' ? value?.trim().replace(/^"(.*)"$/, '$1') : undefined;
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
      throw new Refusal('unsupported_media_type', 'The charset has to be utf-8.');
  }
  return type.trim();
}
