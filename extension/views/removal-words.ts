import type { RemovalPreview } from '../../shared/contract/members.ts';
import { ago, count } from '../ui/format.ts';

/** The keys that something calls with directly: what runs on them fails at its next call. Most used first. */
export function brokenKeys(preview: RemovalPreview): RemovalPreview['keys'] {
  return preview.keys.filter((key) => key.directUses > 0).sort((a, b) => b.directUses - a.directUses);
}

/** The same as plain text, to send to those who look after the scripts. */
export function removalList(preview: RemovalPreview, now: number): string {
  const lines = brokenKeys(preview).flatMap((key) => [
    `${key.name} (${key.prefix}…, ${key.environment}): ${count(key.directUses, 'request')} in 30 days`,
    ...key.sources.map(
      (source) =>
        `  ${source.ip ?? 'unknown address'}, ${source.userAgent ?? 'unnamed program'}, last ${ago(source.lastAt, now)}`,
    ),
  ]);
  return [`These stop working when ${preview.member.name} is removed:`, ...lines].join('\n');
}
