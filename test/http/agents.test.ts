import { createHash, generateKeyPairSync } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Admission } from '../../companion/agents/admission.ts';
import { type Credential, newCredential, signText } from '../../examples/agent/credential.ts';
import { makeProof } from '../../examples/agent/enrol.ts';
import { connectStatement, ENROL_PERMISSION } from '../../shared/agent-protocol.ts';
import { enrolGroup, enrolled, rawSocket, until } from '../support/agents.ts';
import { call } from '../support/client.ts';
import { type MadeKey, type Person, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let mia: Person;
let key: MadeKey;
let groupId: string;
beforeAll(async () => {
  s = await scenario();
  groupId = await enrolGroup(s.url, s.workspaceId, s.owner.token);
  mia = await s.member('Mia');
  key = await s.key(mia, { groupId });
});
afterAll(() => s.end());

const jwk = (c: Credential) => ({ kty: 'OKP', crv: 'Ed25519', x: c.x });
const post = (body: unknown, secret = key.secret) =>
  call(s.url, 'POST', '/v1/agents', { body, headers: secret ? { 'x-api-key': secret } : {} });
const bodyFor = (c: Credential, secret = key.secret) => ({
  name: 'truck-17',
  publicKey: jwk(c),
  proof: makeProof(c, secret, Date.now()),
});

/** A proof that is right but for what is changed. */
function changedProof(c: Credential, change: { header?: object; claims?: object; key?: Credential }): string {
  const [head, payload] = makeProof(c, key.secret, Date.now())
    .split('.')
    .map((part) => Buffer.from(part, 'base64url'));
  const encode = (part: Buffer | undefined, more: object | undefined) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(String(part)), ...more })).toString('base64url');
  const signed = `${encode(head, change.header)}.${encode(payload, change.claims)}`;
  return `${signed}.${signText(change.key ?? c, signed)}`;
}

test('a key enrols an agent once; the same public key again is the same agent', async () => {
  const c = newCredential(s.url);
  const first = await post(bodyFor(c));
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({
    id: expect.stringMatching(/^agt_/),
    name: 'truck-17',
    thumbprint: createHash('sha256')
      .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x: c.x }))
      .digest('base64url'),
    enrolledBy: { membershipId: mia.membershipId, name: 'Mia' },
    enrolledKey: { id: key.id, name: key.name, prefix: key.prefix, status: 'active' },
    state: 'never_connected',
    lastSeenAt: null,
  });
  const again = await post({ ...bodyFor(c), name: 'another name' });
  expect([again.status, again.body]).toEqual([200, first.body]);
  const bearer = await call(s.url, 'POST', '/v1/agents', { body: bodyFor(c), token: key.secret });
  expect(bearer.status).toBe(200);
  expect((await s.as(mia, 'GET', 'W/agents')).body.items).toContainEqual(first.body);
});

test('enrolling at the same moment from two sides makes one agent', async () => {
  const c = newCredential(s.url);
  const answers = await Promise.all([post(bodyFor(c)), post(bodyFor(c)), post(bodyFor(c))]);
  expect(answers.map((a) => a.status).sort()).toEqual([200, 200, 201]);
  expect(new Set(answers.map((a) => a.body.id)).size).toBe(1);
});

test('without a name, the agent is named after its key', async () => {
  const { name: _, ...body } = bodyFor(newCredential(s.url));
  const { body: made } = await post(body);
  expect(made.name).toBe(`agent-${made.thumbprint.slice(0, 8)}`);
});

test('a key without the permission enrols nothing, and a dead or made-up one is not told why', async () => {
  const plain = await s.key(mia);
  const narrowed = await s.key(mia, {
    groupId: await enrolGroup(s.url, s.workspaceId, s.owner.token, [ENROL_PERMISSION, 'events:read']),
    permissions: ['events:read'],
  });
  for (const { secret } of [plain, narrowed]) {
    const answer = await post(bodyFor(newCredential(s.url), secret), secret);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.body.detail).toContain('agents:enroll');
  }
  const dead = await s.key(mia, { groupId });
  await s.as(mia, 'POST', `W/keys/${dead.id}/revoke`, {});
  for (const secret of ['', 'nonsense', dead.secret, mia.token]) {
    const answer = await post(bodyFor(newCredential(s.url), secret), secret);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  }
});

test('a key that is used from an address that it does not allow is told so, and not that it lacks a permission', async () => {
  const { secret } = await s.key(mia, { groupId, ipAllowlist: ['203.0.113.7'] });
  const answer = await post(bodyFor(newCredential(s.url), secret), secret);
  expect([answer.status, answer.body.detail]).toEqual([403, 'This key may not be used from this address.']);
});

test('a key that dies between its check and the enrolment enrols nothing', async () => {
  const dying = await s.key(mia, { groupId });
  const valid = () => s.companion.deps.checker.stats().outcomes.get('valid') ?? 0;
  const before = valid();
  const other = new Database(s.companion.deps.store.files.database);
  other.exec('begin immediate');
  const answer = post(bodyFor(newCredential(s.url), dying.secret), dying.secret);
  await until(valid, (now) => now > before);
  other.prepare('update api_key set disabled_at = 1 where id = ?').run(dying.id);
  other.exec('commit');
  other.close();
  expect((await answer).status).toBe(401);
});

test('the use that enrolled an agent is marked so in the log of its key, and counts as no use', async () => {
  const once = await s.key(mia, { groupId });
  await enrolled(s.url, once.secret);
  const log = await s.as(mia, 'GET', `W/keys/${once.id}/requests`);
  expect(log.body.items).toMatchObject([{ purpose: 'enrolment', code: 'valid' }]);
  expect((await s.as(mia, 'GET', `W/keys/${once.id}`)).body).toMatchObject({ usageCount: 0, lastUsed: null });
});

test('a key says how many agents it enrolled: each once, and also those that were removed since', async () => {
  const [installer, other] = [await s.key(mia, { groupId }), await s.key(mia, { groupId })];
  const count = async () => (await s.as(mia, 'GET', `W/keys/${installer.id}`)).body.enrolledAgents;
  expect(await count()).toBe(0);
  const first = await enrolled(s.url, installer.secret);
  await post(bodyFor(first, installer.secret), installer.secret);
  await enrolled(s.url, installer.secret);
  expect(await count()).toBe(2);
  expect((await s.as(s.owner, 'DELETE', `W/agents/${first.agentId}`)).status).toBe(204);
  const { items } = (await s.as(mia, 'GET', 'W/keys')).body;
  const counts = new Map(items.map((k: { id: string; enrolledAgents: number }) => [k.id, k.enrolledAgents]));
  expect([counts.get(installer.id), counts.get(other.id)]).toEqual([2, 0]);
});

test('a public key that is not a sound Ed25519 key is refused, and a private one loudly', async () => {
  const c = newCredential(s.url);
  const refused = async (publicKey: object, path: string, proof = bodyFor(c).proof) => {
    const answer = await post({ publicKey, proof });
    expect([answer.status, answer.body.errors?.[0]?.path], JSON.stringify(publicKey)).toEqual([400, path]);
    return answer.body.errors[0].message as string;
  };
  const d = c.privateKey.export({ format: 'jwk' }).d;
  expect(await refused({ ...jwk(c), d }, 'publicKey.d')).toContain('private key');
  await refused({ ...jwk(c), kty: 'EC' }, 'publicKey.kty');
  await refused({ ...jwk(c), crv: 'X25519' }, 'publicKey.crv');
  await refused({ ...jwk(c), x: c.x.slice(1) }, 'publicKey.x');
  await refused({ ...jwk(c), x: `${c.x}=` }, 'publicKey.x');
  await refused({ ...jwk(c), y: 'x' }, 'publicKey.y');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  await refused(rsa, 'publicKey.kty');
});

test('a key for which anybody can sign is refused before its signature is looked at', async () => {
  // The neutral element as public key: R = the base point, S = 1 is then a signature of every text, and some libraries take it.
  const forged = `58${'66'.repeat(31)}01${'00'.repeat(31)}`;
  const x = Buffer.from(`01${'00'.repeat(31)}`, 'hex').toString('base64url');
  const [, payload] = makeProof(newCredential(s.url), key.secret, Date.now()).split('.');
  const jwkOf = { kty: 'OKP', crv: 'Ed25519', x };
  const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: jwkOf })).toString('base64url');
  const proof = `${header}.${payload}.${Buffer.from(forged, 'hex').toString('base64url')}`;
  const answer = await post({ publicKey: jwkOf, proof });
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toMatchObject([{ path: 'publicKey.x', message: expect.stringContaining('small order') }]);
});

test('a proof that was made for another server, key, time, purpose or by somebody else is refused', async () => {
  const c = newCredential(s.url);
  const other = newCredential(s.url);
  const proofs: [string, string][] = [
    ['by another key', changedProof(c, { key: other })],
    ['of another key', changedProof(other, {})],
    ['naming another key', changedProof(c, { header: { jwk: jwk(other) } })],
    ['another server', changedProof(c, { claims: { htu: 'https://evil.example/v1/agents' } })],
    ['another path', changedProof(c, { claims: { htu: `${s.url}/v1/verify` } })],
    ['another method', changedProof(c, { claims: { htm: 'GET' } })],
    ['another API key', changedProof(c, { claims: { ath: createHash('sha256').update('x').digest('base64url') } })],
    ['too old', changedProof(c, { claims: { iat: Math.floor(Date.now() / 1000) - 700 } })],
    ['of the future', changedProof(c, { claims: { iat: Math.floor(Date.now() / 1000) + 700 } })],
    ['no time', changedProof(c, { claims: { iat: null } })],
    ['no algorithm', changedProof(c, { header: { alg: 'none' } })],
    ['other type', changedProof(c, { header: { typ: 'JWT' } })],
    ['private key inside', changedProof(c, { header: { jwk: { ...jwk(c), d: 'x' } } })],
    [
      'without TLS where there is TLS',
      changedProof(c, { claims: { htu: `${s.url.replace('http', 'https')}/v1/agents` } }),
    ],
    ['with a fragment', changedProof(c, { claims: { htu: `${s.url}/v1/agents#x` } })],
    ['with a user', changedProof(c, { claims: { htu: `${s.url.replace('//', '//u@')}/v1/agents` } })],
    ['over', changedProof(c, { claims: { exp: Math.floor(Date.now() / 1000) - 1 } })],
    ['asking for what is not known', changedProof(c, { header: { crit: ['b64'], b64: false } })],
    ['no JWS', 'nonsense'],
    ['nothing', ''],
  ];
  for (const [what, proof] of proofs) {
    const answer = await post({ publicKey: jwk(c), proof });
    expect([what, answer.status, answer.body.errors?.[0]?.path]).toEqual([what, 400, 'proof']);
  }
  expect((await post({ publicKey: jwk(c) })).body.errors).toMatchObject([{ path: 'proof' }]);
  const lasting = changedProof(c, { claims: { exp: Math.floor(Date.now() / 1000) + 60 } });
  expect((await post({ publicKey: jwk(c), proof: lasting })).status).toBe(201);
});

test('a proof that is out of time is refused with a pointer to the time here', async () => {
  s.companion.pass(86_400_000);
  // The answers of the test companion carry the real time: only the window is seen here.
  const answer = await post(bodyFor(newCredential(s.url)));
  expect(answer.body.errors[0].message).toContain('Date');
  s.companion.pass(-86_400_000);
});

test('only its owner and admins remove an agent; to any other member it does not exist; it never enrols again', async () => {
  const [eve, adam] = [await s.member('Eve'), await s.member('Ann', 'admin')];
  const c = newCredential(s.url);
  const { id } = (await post(bodyFor(c))).body;
  const hidden = await s.as(eve, 'DELETE', `W/agents/${id}`);
  const absent = await s.as(eve, 'DELETE', 'W/agents/agt_never');
  expect([hidden.status, hidden.body.code, hidden.body.detail]).toEqual([404, absent.body.code, absent.body.detail]);
  expect((await s.as(mia, 'DELETE', `W/agents/${id}`)).status).toBe(204);
  expect((await s.as(mia, 'DELETE', `W/agents/${id}`)).status).toBe(404);
  expect((await s.as(mia, 'GET', 'W/agents')).body.items.map((a: { id: string }) => a.id)).not.toContain(id);
  const back = await post(bodyFor(c));
  expect([back.status, back.body.code]).toEqual([409, 'conflict']);
  const other = await post(bodyFor(newCredential(s.url)));
  expect((await s.as(adam, 'DELETE', `W/agents/${other.body.id}`)).status).toBe(204);
  const { items } = (await s.as(adam, 'GET', 'W/audit?limit=100')).body;
  const about = (action: string, target: string) =>
    items.find((i: { action: string; target: { id: string } }) => i.action === action && i.target.id === target);
  expect(about('agent.enrolled', id)).toMatchObject({
    actor: { type: 'key', id: key.id },
    target: { name: 'truck-17' },
  });
  expect(about('agent.removed', id)).toMatchObject({ actor: { type: 'member', id: mia.membershipId } });
  expect(about('agent.removed', other.body.id)).toMatchObject({ actor: { id: adam.membershipId } });
});

test('the record stays readable when its key is revoked and its owner gone', async () => {
  const zoe = await s.member('Zoe');
  const used = await s.key(zoe, { groupId, name: 'docker-edge' });
  const { agentId } = await enrolled(s.url, used.secret);
  expect((await s.as(s.owner, 'DELETE', `W/members/${zoe.membershipId}`)).status).toBe(200);
  const { items } = (await s.as(s.owner, 'GET', `W/agents?owner=${zoe.membershipId}`)).body;
  expect(items).toMatchObject([
    {
      id: agentId,
      enrolledBy: { membershipId: zoe.membershipId, name: 'Zoe', email: 'zoe@acme.example' },
      enrolledKey: { id: used.id, name: 'docker-edge', status: 'revoked', revokedReason: 'member_left' },
    },
  ]);
});

test('whoever guesses at one agent is made to wait, and no other agent behind the same address', async () => {
  const [guessed, neighbour] = [await enrolled(s.url, key.secret), await enrolled(s.url, key.secret)];
  const { host } = new URL(s.url);
  const prove = async (agentId: string, by: Credential) => {
    const raw = rawSocket(s.url);
    const { connection = '', nonce = '' } = await raw.next();
    const signature = signText(by, connectStatement({ host, connection, nonce, agentId }));
    raw.socket.send(JSON.stringify({ type: 'hello', agentId, host, signature, report: {} }));
    const outcome = await Promise.race([raw.closed.then(({ code }) => code), raw.next().then(({ type }) => type)]);
    raw.socket.close();
    return outcome;
  };
  for (let i = 0; i < 60; i++) expect(await prove(guessed.agentId, neighbour)).toBe(4401);
  expect(await prove(guessed.agentId, neighbour)).toBe(4429);
  expect(await prove(neighbour.agentId, neighbour)).toBe('welcome');
  // It is in the log, for whoever looks after the companion; what was claimed is only where it is an agent.
  await prove('agt_made_up', neighbour);
  const lines = s.companion.lines.map((line) => JSON.parse(line)).filter((line) => line.message === 'agent refused');
  expect(lines.at(0)).toMatchObject({ level: 'warn', agent: guessed.agentId, code: 4401 });
  expect(lines.at(-1)).toMatchObject({ agent: null, code: 4401 });
});

test('where connections are waited for in vain, the oldest gives way to a new one', async () => {
  const admission = new Admission();
  let cut = 0;
  const settle = Array.from({ length: 1000 }, () => admission.opened('198.51.100.1', () => cut++));
  // All at once, as after a restart: the new one comes again a second later.
  expect(() => admission.check('198.51.100.1', 0)).toThrow('at once');
  admission.check('198.51.100.2', 0);
  await new Promise((done) => setTimeout(done, 2_100));
  admission.check('198.51.100.1', 0);
  expect(cut).toBe(1);
  for (const done of settle) done();
  admission.check('198.51.100.1', 0);
  expect(cut).toBe(1);
});
