import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../support/agents.ts';
import { type Answer, call } from '../support/client.ts';
import { SETUP_TOKEN } from '../support/companion.ts';
import { scratchFolder, startProcess } from '../support/process.ts';
import { startService } from '../support/service.ts';

async function team(url: string) {
  const { body } = await call(url, 'POST', '/v1/setup', {
    body: {
      token: SETUP_TOKEN,
      workspace: 'Acme',
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'correct horse battery',
    },
  });
  return async (method: string, path: string, given?: unknown): Promise<Answer['body']> => {
    const options = { token: body.session.token, body: given };
    const answer = await call(url, method, `/v1/workspaces/${body.workspace.id}${path}`, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
}

test.each([
  ['in-process.ts', ['zod']],
  ['in-process-hono.ts', ['zod', 'hono', '@hono/node-server']],
])(
  'a service with %s lets in who may, through a stop of the companion, and every use is counted',
  async (example, packages) => {
    const folder = scratchFolder();
    let companion = await startProcess(folder);
    const { url } = companion;
    const as = await team(url);
    const verifier = await as('POST', '/verifiers', { name: 'orders', environment: 'production' });
    const readers = await as('POST', '/groups', { name: 'Readers', permissions: ['customers:read'] });
    const newKey = (name: string, more: object) => as('POST', '/keys', { name, environment: 'production', ...more });
    const good = await newKey('good', { groupId: readers.id, ipAllowlist: ['127.0.0.1'] });
    const poor = await newKey('poor', {});
    const service = await startService(example, packages, { HEEX_URL: url, HEEX_VERIFIER: verifier.secret });
    let letIn = 0;
    const get = async (key: string, path = '/customers'): Promise<Answer> => {
      const answer = await call(service.url, 'GET', path, { headers: { 'x-api-key': key } });
      if (answer.status === 200 && key === good.secret) letIn++;
      return answer;
    };
    const answers = async (status: number) => {
      while ((await get(good.secret)).status !== status) await sleep(20);
    };

    expect((await get(good.secret)).body).toEqual({ customers: ['acme'] });
    expect((await get(good.secret, '/')).body).toEqual({ hello: 'Ada' });
    const denied = await get(poor.secret);
    expect([denied.status, (await get('nonsense')).status]).toEqual([403, 401]);

    // The companion stops: what is remembered holds for a little while, then nobody is let in until it is back.
    expect(await companion.end()).toBe(0);
    await answers(503);
    companion = await startProcess(folder, { HEEX_PORT: new URL(url).port });
    await answers(200);

    await as('POST', `/keys/${good.key.id}/revoke`);
    await answers(401);
    expect(await service.end()).toBe(0);
    // Whoever looks while counts are being written is told of what is written already.
    const uses = async () => (await as('GET', `/keys/${good.key.id}`)).usageCount;
    expect(await until(uses, (counted) => counted >= letIn)).toBe(letIn);
    const { items } = await as('GET', `/requests?requestId=${denied.headers.get('x-request-id')}`);
    expect(items).toMatchObject([{ keyId: poor.key.id, code: 'insufficient_permissions', verifier: 'orders' }]);
    await companion.end();
  },
);
