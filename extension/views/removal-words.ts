import type { RemovalPreview } from '../../shared/contract/members.ts';
import { count, exact, number } from '../ui/format.ts';

/** The keys that something calls with directly: what runs on them fails at its next call. Most used first. */
export function brokenKeys(preview: RemovalPreview): RemovalPreview['keys'] {
  return preview.keys.filter((key) => key.directUses > 0).sort((a, b) => b.directUses - a.directUses);
}

/** The same as plain text, to send to those who look after the scripts. */
export function removalList(preview: RemovalPreview): string {
  const lines = brokenKeys(preview).flatMap((key) => [
    `${key.name} (${key.prefix}…, ${key.environment}): ${count(key.directUses, 'request')} in 30 days`,
    ...key.sources.map(
      (source) =>
        `  ${source.ip ?? 'unknown address'}, ${source.userAgent ?? 'unnamed program'}, last ${exact(source.lastAt)}`,
    ),
    ...(key.moreSources > 0
      ? [`  and ${number(key.moreSources)} more ${key.moreSources === 1 ? 'source' : 'sources'}`]
      : []),
  ]);
  return [
    `These stop working when ${preview.member.name} is removed: replace HEEX_API_KEY here before the next launch.`,
    ...lines,
  ].join('\n');
}
