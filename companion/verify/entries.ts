import type Database from 'better-sqlite3';
import type { KeyFacts } from '../../shared/check.ts';
import type { KeyIdentity, KeyRecord } from '../../shared/contract/verify.ts';
import { compileAllowlist } from '../../shared/ip.ts';
import type { Environment } from '../../shared/key-format.ts';
import { effectivePermissions } from '../domain/permissions.ts';
import { type Anchor, Interned, KeyEntry, sharedOf } from './key-entry.ts';

/** A service that may ask about keys of one environment of one workspace. */
export interface VerifierEntry {
  id: string;
  name: string;
  workspaceId: string;
  environment: Environment;
  anchors: readonly Anchor[];
}

interface KeyQueryRow {
  secret_id: string;
  prefix: string;
  ends_at: number | null;
  key_id: string;
  name: string;
  workspace_id: string;
  workspace_name: string | null;
  membership_id: string | null;
  created_by: string;
  owner_name: string | null;
  owner_email: string | null;
  suspended_at: number | null;
  environment: Environment;
  group_id: string | null;
  narrowed: string | null;
  granted: string | null;
  customers: string;
  ip_allowlist: string;
  rate_limit: number | null;
  rate_window_seconds: number | null;
  expires_at: number | null;
  disabled_at: number | null;
  revoked_at: number | null;
}

const KEY_BY_HASH = `
select s.id as secret_id, s.prefix, s.ends_at, k.id as key_id, k.name, k.workspace_id, w.name as workspace_name,
  k.membership_id, k.created_by, u.name as owner_name, u.email as owner_email, m.suspended_at, k.environment, k.group_id,
  k.permissions as narrowed, g.permissions as granted, k.customers, k.ip_allowlist, k.rate_limit, k.rate_window_seconds,
  k.expires_at, k.disabled_at, k.revoked_at
from api_key_secret s join api_key k on k.id = s.key_id
  left join workspace w on w.id = k.workspace_id
  left join membership m on m.id = k.membership_id
  left join user u on u.id = m.user_id
  left join authorization_group g on g.id = k.group_id
where s.hash = ?`;

/** The things that many entries hang on, each there once. */
export interface Anchors {
  of(kind: 'member' | 'group' | 'workspace' | 'verifier', id: string): Anchor;
}

export interface EntryReader {
  key(hash: string): KeyEntry | undefined;
  verifier(hash: string): VerifierEntry | undefined;
  /** The same key as it is told to a service of that workspace and environment; null where there is none for it. */
  record(hash: string, workspaceId: string, environment: Environment): KeyRecord | null;
}

/** Looks up what a hash stands for, by prepared statements on a handle that can't write. */
export function createEntryReader(db: Database.Database, anchors: Anchors): EntryReader {
  const keyByHash = db.prepare<[string], KeyQueryRow>(KEY_BY_HASH);
  const verifierByHash = db.prepare<
    [string],
    { id: string; name: string; workspace_id: string; environment: Environment }
  >('select id, name, workspace_id, environment from verifier where hash = ?');
  const toEntry = createEntryMaker(anchors);
  return {
    key(hash) {
      const row = keyByHash.get(hash);
      return row && toEntry(row);
    },
    record(hash, workspaceId, environment) {
      const row = keyByHash.get(hash);
      if (row?.workspace_id !== workspaceId) return null;
      if (row.environment === environment) return { ...toRecord(row), identity: toIdentity(row) };
      return { ...toRecord(row), ipAllowlist: [], rateLimit: null, identity: null };
    },
    verifier(hash) {
      const row = verifierByHash.get(hash);
      if (!row) return undefined;
      const { id, name, workspace_id, environment } = row;
      const hangsOn = [anchors.of('verifier', id), anchors.of('workspace', workspace_id)];
      return { id, name, workspaceId: workspace_id, environment, anchors: hangsOn };
    },
  };
}

const list = (json: string | null): string[] => (json === null ? [] : (JSON.parse(json) as string[]));

/** An allowlist that can't be read lets nobody through. */
function readAllowlist(json: string): KeyFacts['allows'] {
  try {
    const entries = list(json);
    return entries.length ? compileAllowlist(entries) : undefined;
  } catch {
    return () => false;
  }
}

/** A key without a member or a workspace can only be a revoked one; whatever else the file says, it is refused. */
const isRevoked = (row: KeyQueryRow) =>
  row.revoked_at !== null || row.owner_email === null || row.workspace_name === null;

const rateLimitOf = ({ rate_limit, rate_window_seconds }: KeyQueryRow): KeyFacts['rateLimit'] =>
  rate_limit === null || rate_window_seconds === null
    ? null
    : { limit: rate_limit, windowSeconds: rate_window_seconds };

function toIdentity(row: KeyQueryRow): KeyIdentity {
  const creator = JSON.parse(row.created_by) as { membershipId: string; name: string; email: string };
  return {
    id: row.key_id,
    name: row.name,
    prefix: row.prefix,
    owner: {
      membershipId: row.membership_id ?? creator.membershipId,
      name: row.owner_name ?? creator.name,
      email: row.owner_email ?? creator.email,
    },
    workspace: { id: row.workspace_id, name: row.workspace_name ?? '' },
    environment: row.environment,
    permissions: [...effectivePermissions(list(row.granted), row.narrowed === null ? null : list(row.narrowed))],
    customers: list(row.customers),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  };
}

/** Makes entries whose common parts are there once. */
function createEntryMaker(anchors: Anchors): (row: KeyQueryRow) => KeyEntry {
  const owners = new Interned<KeyEntry['sharedOwner']>();
  const workspaces = new Interned<KeyEntry['sharedWorkspace']>();
  const grants = new Interned<KeyEntry['granted']>();
  const customers = new Interned<KeyEntry['sharedCustomers']>();
  const allowlists = new Interned<KeyFacts['allows'] | null>();
  const rates = new Interned<KeyFacts['rateLimit']>();
  const hanging = new Interned<KeyEntry['anchors']>();

  function hangsOn({ workspace_id, membership_id, group_id }: KeyQueryRow): readonly Anchor[] {
    const found = [anchors.of('workspace', workspace_id)];
    if (membership_id !== null) found.push(anchors.of('member', membership_id));
    if (group_id !== null) found.push(anchors.of('group', group_id));
    const known = hanging.get(`${workspace_id} ${membership_id} ${group_id}`, () => found);
    // Those that were remembered may be stale by now.
    return known.every((anchor, i) => anchor === found[i]) ? known : found;
  }

  return (row) => {
    const identity = toIdentity(row);
    const { owner, workspace } = identity;
    const granted = JSON.stringify(identity.permissions);
    return new KeyEntry({
      keyId: row.key_id,
      secretId: row.secret_id,
      name: row.name,
      prefix: row.prefix,
      environment: row.environment,
      revoked: isRevoked(row),
      disabled: row.disabled_at !== null,
      suspended: row.suspended_at !== null,
      expiresAt: row.expires_at,
      endsAt: row.ends_at,
      allows: allowlists.get(row.ip_allowlist, () => readAllowlist(row.ip_allowlist) ?? null) ?? undefined,
      rateLimit: rates.get(`${row.rate_limit} ${row.rate_window_seconds}`, () => rateLimitOf(row)),
      sharedOwner: owners.get(JSON.stringify(owner), () => sharedOf(owner)),
      sharedWorkspace: workspaces.get(JSON.stringify(workspace), () => sharedOf(workspace)),
      granted: grants.get(granted, () => ({ ...sharedOf(identity.permissions), set: new Set(identity.permissions) })),
      sharedCustomers: customers.get(row.customers, () => sharedOf(identity.customers)),
      anchors: hangsOn(row),
    });
  };
}

function toRecord(row: KeyQueryRow): Omit<KeyRecord, 'identity'> {
  return {
    secretId: row.secret_id,
    keyId: row.key_id,
    environment: row.environment,
    groupId: row.group_id,
    membershipId: row.membership_id,
    revoked: isRevoked(row),
    disabled: row.disabled_at !== null,
    suspended: row.suspended_at !== null,
    expiresAt: row.expires_at,
    endsAt: row.ends_at,
    ipAllowlist: list(row.ip_allowlist),
    rateLimit: rateLimitOf(row),
  };
}
