import type { RemovalPreview } from '../../shared/contract/members.ts';
import { count, exact, number } from '../ui/format.ts';
import { keepWords } from './agent-words.ts';

/** The keys that something calls with directly: what runs on them fails at its next call. Most used first. */
export function brokenKeys(preview: RemovalPreview): RemovalPreview['keys'] {
  return preview.keys.filter((key) => key.directUses > 0).sort((a, b) => b.directUses - a.directUses);
}

/** The member’s agents: which of them run now, and which are only enrolled. */
export const keptAgents = (agents: RemovalPreview['agents'], connected: ReadonlySet<string>) =>
  agents.map(({ id, name }) => ({
    name,
    state: connected.has(id) ? ('connected' as const) : ('disconnected' as const),
  }));

const keyWords = (key: RemovalPreview['keys'][number]) => `${key.name} (${key.prefix}…, ${key.environment})`;

function brokenLines(preview: RemovalPreview): string[] {
  return brokenKeys(preview).flatMap((key) => [
    `${keyWords(key)}: ${count(key.directUses, 'request')} in 30 days`,
    ...key.sources.map(
      (source) =>
        `  ${source.ip ?? 'unknown address'}, ${source.userAgent ?? 'unnamed program'}, last ${exact(source.lastAt)}`,
    ),
    ...(key.moreSources > 0
      ? [`  and ${number(key.moreSources)} more ${key.moreSources === 1 ? 'source' : 'sources'}`]
      : []),
  ]);
}

/** What breaks, as plain text, to send to those who look after the scripts. */
export function removalList(preview: RemovalPreview): string {
  return [
    `These stop working when ${preview.member.name} is removed: replace HEEX_API_KEY here before the next launch.`,
    ...brokenLines(preview),
  ].join('\n');
}

/** Which secrets of the workspace they keep in mind, in one line; nothing where there are none. */
export function secretWords({ knownSecrets }: RemovalPreview): string | undefined {
  if (knownSecrets.length === 0) return undefined;
  const names = knownSecrets.map(({ kind, name }) => `${kind === 'verifier' ? 'verifier' : 'SCIM token'} ${name}`);
  return `They know the ${names.length === 1 ? 'secret' : 'secrets'} of ${names.join(', ')}: replace ${names.length === 1 ? 'it' : 'them'}.`;
}

/** All that a removal changes, as plain text, for a ticket. */
export function removalReport(preview: RemovalPreview, connected: ReadonlySet<string>): string {
  const { member, keys, agents, sessions } = preview;
  const broken = brokenLines(preview);
  const secrets = secretWords(preview);
  const parts = [
    [`Removal of ${member.name} (${member.email})`],
    [`${count(keys.length, 'key')} revoked${keys.length > 0 ? ':' : ''}`, ...keys.map(keyWords)],
    broken.length > 0
      ? ['Used directly in the last 30 days: replace HEEX_API_KEY here before the next launch.', ...broken]
      : ['None were used directly in the last 30 days.'],
    agents.length > 0
      ? [`${keepWords({ agents: keptAgents(agents, connected), more: false })}:`, agents.map((a) => a.name).join(', ')]
      : ['No agents were enrolled with them.'],
    [`${count(sessions, 'session')} ended.`],
    ...(secrets ? [[secrets]] : []),
  ];
  return parts.map((lines) => lines.join('\n')).join('\n\n');
}
