import { FailureError, isUnsure } from '../../shared/client/client.ts';
import { groups } from '../../shared/contract/groups.ts';
import { KEY_STATUSES, type Key, type KeyWithSecret, keys } from '../../shared/contract/keys.ts';
import { parseKey, redact } from '../../shared/key-format.ts';
import { BadUsage, type Io, json, plain, Refused, table } from './io.ts';
import { readChoice, readEnvironment, readExpiry, readList, readOverlap, readRate } from './options.ts';
import { ended, openWorkspace, type Workspace } from './server.ts';

/** Options as they were typed. */
export interface KeyOptions {
  url?: string | undefined;
  workspace?: string | undefined;
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  env?: string | undefined;
  status?: string | undefined;
  name?: string | undefined;
  description?: string | undefined;
  group?: string | undefined;
  permission?: string[] | undefined;
  customer?: string[] | undefined;
  ip?: string[] | undefined;
  rate?: string | undefined;
  expires?: string | undefined;
  'technical-owner'?: string | undefined;
  overlap?: string | undefined;
  reason?: string | undefined;
  yes?: boolean | undefined;
}

const open = (io: Io, options: KeyOptions) => openWorkspace(io, options.url, options.workspace);

type Filters = { status?: Key['status']; environment?: Key['environment']; q?: string };

/** All of one's own keys that match, page by page. */
async function* ownKeys({ server, workspaceId }: Workspace, filters: Filters): AsyncGenerator<Key> {
  let cursor: string | undefined;
  do {
    const query = { ...filters, limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const page = await server.call(keys.listKeys, { params: { workspaceId }, query }).catch(ended);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export async function listKeys(io: Io, options: KeyOptions): Promise<void> {
  const filters: Filters = {
    ...(options.env === undefined ? {} : { environment: readEnvironment(options.env) }),
    ...(options.status === undefined ? {} : { status: readChoice('status', KEY_STATUSES, options.status) }),
  };
  const found: Key[] = [];
  for await (const key of ownKeys(await open(io, options), filters)) found.push(key);
  if (options.json) return io.out(json(found));
  if (!found.length) return io.say('No keys match.\n');
  const day = (time: string | undefined | null, otherwise: string) => time?.slice(0, 10) ?? otherwise;
  const rows = found.map((key) => [
    ...[key.id, key.name, `${key.prefix}…`, key.environment, key.status],
    ...[day(key.expiresAt, 'never'), day(key.lastUsed?.at, 'never')],
  ]);
  io.out(table(['ID', 'NAME', 'PREFIX', 'ENVIRONMENT', 'STATUS', 'EXPIRES', 'LAST USED'], rows));
}

export async function createKey(io: Io, options: KeyOptions): Promise<void> {
  if (options.name === undefined) throw new BadUsage('Give the key a --name that says what it is for.');
  if (options.env === undefined) throw new BadUsage('Give --env production, staging or development.');
  const environment = readEnvironment(options.env);
  const { description, name } = options;
  const [permissions, customers, ipAllowlist] = [options.permission, options.customer, options.ip].map(readList);
  const body = {
    name,
    environment,
    ...(description === undefined ? {} : { description }),
    ...(permissions && { permissions }),
    ...(customers && { customers }),
    ...(ipAllowlist && { ipAllowlist }),
    ...(options.rate === undefined ? {} : { rateLimit: readRate(options.rate) }),
    ...(options.expires === undefined ? {} : { expiresAt: readExpiry(options.expires, io.now()) }),
    ...(options['technical-owner'] === undefined ? {} : { technicalOwner: options['technical-owner'] }),
  };
  const workspace = await open(io, options);
  const { server, workspaceId } = workspace;
  const groupId = options.group === undefined ? undefined : await findGroup(workspace, options.group);
  const made = await once(io, 'made', (idempotencyKey) =>
    server.call(keys.createKey, {
      params: { workspaceId },
      body: { ...body, ...(groupId === undefined ? {} : { groupId }) },
      idempotencyKey,
    }),
  );
  reveal(io, options, made, 'Made');
}

export async function rotateKey(io: Io, options: KeyOptions, wanted: string): Promise<void> {
  const body = {
    ...(options.overlap === undefined ? {} : { overlapSeconds: readOverlap(options.overlap) }),
    ...(options.expires === undefined ? {} : { expiresAt: readExpiry(options.expires, io.now()) }),
  };
  const workspace = await open(io, options);
  const { server, workspaceId } = workspace;
  const keyId = (await findKey(workspace, wanted)).id;
  const made = await once(io, 'rotated', (idempotencyKey) =>
    server.call(keys.rotateKey, { params: { workspaceId, keyId }, body, idempotencyKey }),
  );
  reveal(io, options, made, 'Rotated');
  const until = made.key.rotation?.oldExpiresAt;
  if (!options.quiet)
    io.say(until ? `The old secret works until ${plain(until)}.\n` : 'The old secret no longer works.\n');
}

/** Revoking can't be undone: a person types the name, a script says --yes. */
export async function revokeKey(io: Io, options: KeyOptions, wanted: string): Promise<void> {
  const reason =
    options.reason === undefined ? undefined : readChoice('reason', ['leaked', 'superseded'], options.reason);
  const workspace = await open(io, options);
  const { server, workspaceId } = workspace;
  const key = await findKey(workspace, wanted);
  if (!options.yes) {
    const typed = await io.ask(`This can't be undone. Type the name of the key to revoke it (${plain(key.name)}): `);
    if (typed === undefined) throw new BadUsage('Nobody is here to confirm: give --yes.');
    if (typed !== key.name) throw new Refused('That is not its name. Nothing was revoked.');
  }
  const params = { workspaceId, keyId: key.id };
  const revoked = await server
    .call(keys.revokeKey, { params, body: reason === undefined ? {} : { reason } })
    .catch(ended);
  if (options.json) io.out(json(revoked.key));
  else if (!options.quiet) io.say(`Revoked ${plain(key.name)} (${plain(key.prefix)}…).\n`);
}

/** Sends with one Idempotency-Key, so that a lost answer never means two keys. */
async function once(io: Io, what: string, send: (key: string) => Promise<KeyWithSecret>): Promise<KeyWithSecret> {
  try {
    return await send(io.newId()).catch(ended);
  } catch (error) {
    if (error instanceof FailureError && isUnsure(error.failure))
      io.say(`It is not certain whether the key was ${what}. Look with: heex keys list\n`);
    throw error;
  }
}

/** The secret alone goes to the output, so that `export HEEX_API_KEY=$(heex keys create …)` works. */
function reveal(io: Io, options: KeyOptions, { key, secret }: KeyWithSecret, done: string): void {
  if (secret === undefined)
    throw new Refused('The server did not show the secret again. Rotate the key for a new one.');
  if (!options.json && !options.quiet)
    io.say(
      `${done} ${plain(key.name)} (${plain(key.prefix)}…), ${key.environment}, expires ${plain(key.expiresAt ?? 'never')}.\n` +
        'The secret is shown this once:\n',
    );
  io.out(options.json ? json({ key, secret }) : `${secret}\n`);
}

/** A key of one's own by id, by prefix or by name. A revoked one only by id. @throws Refused */
async function findKey(workspace: Workspace, wanted: string): Promise<Key> {
  const { server, workspaceId } = workspace;
  if (/^key_\w+$/.test(wanted))
    return server.call(keys.readKey, { params: { workspaceId, keyId: wanted } }).catch(ended);
  // A whole secret stands for its prefix: it goes into no address and no message.
  const bare = parseKey(wanted)?.prefix ?? wanted.replace(/…$/, '');
  if (redact(bare) !== bare)
    throw new BadUsage('That looks like a secret with an error in it. Give the name, prefix or id of the key.');
  for await (const key of ownKeys(workspace, { q: bare })) {
    if (key.status !== 'revoked' && (key.name === wanted || key.prefix === bare)) return key;
  }
  throw new Refused(`You have no live key of the name, prefix or id "${bare}".`);
}

async function findGroup({ server, workspaceId }: Workspace, wanted: string): Promise<string> {
  let cursor: string | undefined;
  do {
    const query = { limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const page = await server.call(groups.listGroups, { params: { workspaceId }, query }).catch(ended);
    const found = page.items.find((group) => group.id === wanted || group.name === wanted);
    if (found) return found.id;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  throw new Refused(`There is no authorization group "${wanted}".`);
}
