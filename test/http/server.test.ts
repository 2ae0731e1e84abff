import { connect } from 'node:net';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { Env } from '../../companion/http/context.ts';
import { listen } from '../../companion/http/server.ts';

test('a connection that a browser opened ahead and never used does not hold up a stop', async () => {
  const { port, drain } = await listen('127.0.0.1', 0, () => ({ app: new Hono<Env>(), listener: () => {} }));
  const ahead = connect(port, '127.0.0.1');
  let got = '';
  ahead.on('data', (chunk) => {
    got += chunk;
  });
  await new Promise((done) => ahead.once('connect', done));
  // Once the server has it, too.
  await new Promise((done) => setTimeout(done, 50));
  await drain(60_000);
  // Held up, it would be told after ten seconds that its request did not come: 408.
  expect(got).toBe('');
});
