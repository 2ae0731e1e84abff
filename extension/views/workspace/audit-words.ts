import type { AuditEntry, ChainReport } from '../../../shared/contract/audit.ts';
import { clock, fullDay } from '../../ui/format.ts';
import type { IconName } from '../../ui/icon.tsx';
import { REASON_WORDS } from '../../ui/key-words.ts';

/** What happened, before the name of what it happened to: `rotated` prod-main-app. */
const VERBS: Record<string, readonly [IconName, string]> = {
  'workspace.created': ['building', 'created the workspace'],
  'workspace.edited': ['sliders', 'changed the settings of'],
  'workspace.ownerless': ['warn', 'left without an owner:'],
  'key.created': ['key', 'created'],
  'key.edited': ['pencil', 'edited'],
  'key.rotated': ['rotate', 'rotated'],
  'key.rotation_finished': ['rotate', 'finished the rotation of'],
  'key.disabled': ['pause-circle', 'disabled'],
  'key.enabled': ['play', 'enabled'],
  'key.revoked': ['x-circle', 'revoked'],
  'group.created': ['layers', 'created group'],
  'group.edited': ['layers', 'changed group'],
  'group.deleted': ['layers', 'deleted group'],
  'invitation.created': ['user-plus', 'invited'],
  'invitation.withdrawn': ['x', 'withdrew the invitation of'],
  'member.joined': ['user-plus', 'joined:'],
  'member.removed': ['user-minus', 'removed'],
  'member.suspended': ['pause-circle', 'suspended'],
  'member.reinstated': ['play', 'reinstated'],
  'member.role_changed': ['users', 'changed the role of'],
  'session.created': ['globe', 'signed in:'],
  'session.connected': ['globe', 'approved'],
  'session.denied': ['ban', 'denied'],
  'session.reported': ['warn', 'did not start what was denied:'],
  'session.ended': ['logout', 'ended the session'],
  'verifier.created': ['server', 'added verifier'],
  'verifier.removed': ['server', 'removed verifier'],
  'agent.enrolled': ['agent', 'enrolled agent'],
  'agent.removed': ['agent', 'removed agent'],
  'password.changed': ['lock', 'changed the password of'],
  'password.removed': ['lock', 'removed the password of'],
  'password.reset': ['lock', 'reset the password of'],
  'password.reset_link_created': ['link', 'made a reset link for'],
  'passkey.added': ['passkey', 'added passkey'],
  'passkey.removed': ['passkey', 'removed passkey'],
  'sso.saved': ['building', 'set up single sign-on:'],
  'sso.removed': ['building', 'turned off single sign-on:'],
  'identity.linked': ['link', 'linked'],
  'identity.unlinked': ['link', 'unlinked'],
  'scim.changed': ['sliders', 'changed the settings of'],
  'scim_token.created': ['key', 'made the SCIM token'],
  'scim_token.removed': ['key', 'removed the SCIM token'],
  'scim_token.rotated': ['key', 'rotated the SCIM token'],
  'user.changed': ['pencil', 'changed the account of'],
  'workspace.capacity_changed': ['sliders', 'changed plan or key limit of'],
  'user.provisioned': ['users', 'provisioned'],
  'user.deprovisioned': ['user-minus', 'deprovisioned'],
  'user.reactivated': ['play', 'reactivated'],
};

/** Icon and verb of an action; one that is not known here is told as the server names it. */
export function actionWords(action: string): readonly [IconName, string] {
  return VERBS[action] ?? ['info', action.replace(/[._]/g, ' ')];
}

/** `ipAllowlist` and `expires_at` as people write them. */
export function fieldWords(field: string): string {
  const words = field
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/_/g, ' ')
    .toLowerCase();
  return words
    .replace(/\bip\b/, 'IP')
    .replace(/ at$/, '')
    .replace(/ id$/, '');
}

function valueWords(field: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((one) => valueWords(field, one)).join(', ');
  if (typeof value === 'object')
    return Object.values(value)
      .map((one) => valueWords(field, one))
      .join(' / ');
  const text = String(value);
  if (field === 'reason') return REASONS[text] ?? text;
  return /^\d{4}-\d\d-\d\dT/.test(text) ? `${fullDay(text)}, ${clock(text)}` : text;
}

const REASONS: Record<string, string | undefined> = REASON_WORDS;

function listChange(field: string, old: unknown[], fresh: unknown[]): string | undefined {
  const added = fresh.filter((one) => !old.includes(one));
  const removed = old.filter((one) => !fresh.includes(one));
  const told = [
    added.length > 0 && `added ${valueWords(field, added)}`,
    removed.length > 0 && `removed ${valueWords(field, removed)}`,
  ].filter(Boolean);
  return told.length > 0 ? `${fieldWords(field)}: ${told.join(', ')}` : undefined;
}

type Sides = Pick<AuditEntry, 'before' | 'after'>;

function fieldChange(field: string, { before, after }: Sides): string | undefined {
  const [old, fresh] = [before?.[field], after?.[field]];
  // Told of one side only, it is a fact of what is new or gone.
  if (!before || !after || !(field in before) || !(field in after)) {
    const fact = valueWords(field, fresh ?? old);
    return fact === 'none' ? undefined : `${fieldWords(field)}: ${fact}`;
  }
  if (Array.isArray(old) && Array.isArray(fresh)) return listChange(field, old, fresh);
  const [from, to] = [valueWords(field, old), valueWords(field, fresh)];
  return from === to ? undefined : `${fieldWords(field)}: ${from} → ${to}`;
}

/** What the verb says already. */
const SAID: Record<string, string> = {
  'key.disabled': 'disabled',
  'key.enabled': 'disabled',
  'key.revoked': 'status',
  'member.suspended': 'status',
  'member.reinstated': 'status',
};

const MOST = 3;

/**
 * What changed, in one line: `role: member → admin`, `IP allowlist: added 10.0.0.0/8`. Of something new, its values; at most three
 * fields, and not what the verb and the name before it say.
 */
export function changeWords(entry: Sides & Partial<Pick<AuditEntry, 'action' | 'target'>>): string {
  const { before, after, action, target } = entry;
  const named = !(before && after) && target?.name;
  const told = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .filter((field) => field !== SAID[action ?? ''])
    .filter((field) => field !== 'name' || (after ?? before)?.name !== named)
    // What tells the least comes last.
    .sort((a, b) => Number(a === 'prefix') - Number(b === 'prefix'))
    .flatMap((field) => fieldChange(field, entry) ?? []);
  const rest = told.length - MOST;
  return told.slice(0, MOST).join(' · ') + (rest > 0 ? ` · ${rest} more` : '');
}

const ACTORS: Record<string, string> = {
  scim: 'Identity provider',
  system: 'Heex Keys',
  operator: 'Operator',
  database: 'Database',
};

/** Who it was, also when nobody was. */
export function actorWords(actor: AuditEntry['actor']): string {
  return actor.name ?? ACTORS[actor.type] ?? actor.type;
}

/** The kinds of things that the log can be narrowed to. */
export const AUDIT_KINDS = [
  { value: 'key', label: 'Keys' },
  { value: 'member', label: 'Members' },
  { value: 'invitation', label: 'Invitations' },
  { value: 'group', label: 'Groups' },
  { value: 'agent', label: 'Agents' },
  { value: 'verifier', label: 'Verifiers' },
  { value: 'session', label: 'Sessions' },
  { value: 'workspace', label: 'Workspace' },
  { value: 'sso', label: 'Single sign-on' },
  { value: 'password', label: 'Passwords' },
  { value: 'passkey', label: 'Passkeys' },
  { value: 'user', label: 'Provisioning' },
] as const;

type Head = NonNullable<ChainReport['head']>;

/** The head of the log as one line, to be kept elsewhere. */
export const headText = ({ seq, hash }: Head): string => `${seq} ${hash}`;

/** A line that `headText` made, whatever was pasted around it; undefined for anything else. */
export function headOf(text: string): Head | undefined {
  const [, seq, hash] = /(?<!\d)(\d{1,15})\W+(?:hash\W+)?([0-9a-f]{64})(?![0-9a-f])/i.exec(text) ?? [];
  return seq && hash ? { seq: Number(seq), hash: hash.toLowerCase() } : undefined;
}
