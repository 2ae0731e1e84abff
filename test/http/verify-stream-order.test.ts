import { get, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
beforeAll(async () => {
  s = await scenario();
});
afterAll(() => s.end());

test('a change is on its way to those who listen before whoever made it has an answer', async () => {
  const headers = { authorization: `Bearer ${await s.verifier()}` };
  const heard: string[] = [];
  const stream = await new Promise<IncomingMessage>((done) => get(`${s.url}/v1/verify/stream`, { headers }, done));
  stream.setEncoding('utf8').on('data', (text: string) => {
    for (const [, id] of text.matchAll(/"id":"(key_\w+)"/g)) if (id) heard.push(id);
  });
  const keys = await Promise.all(Array.from({ length: 20 }, () => s.key(s.owner)));
  await expect.poll(() => keys.every(({ id }) => heard.includes(id))).toBe(true);
  const outran: string[] = [];
  for (const { id } of keys) {
    heard.length = 0;
    const path = `${s.url}/v1/workspaces/${s.workspaceId}/keys/${id}/revoke`;
    await new Promise<void>((done) => {
      request(path, { method: 'POST', headers: { authorization: `Bearer ${s.owner.token}` } }, (answer) => {
        expect(answer.statusCode).toBe(200);
        if (!heard.includes(id)) outran.push(id);
        answer.resume().on('end', done);
      }).end();
    });
  }
  stream.destroy();
  expect(outran).toEqual([]);
});
