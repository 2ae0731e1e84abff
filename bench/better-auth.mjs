import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import Database from 'better-sqlite3';

/**
 * better-auth's `verifyApiKey` over HTTP, on SQLite, in the shortest server there is: what it costs is its own. It makes the keys
 * itself, with a permission and a rate limit that is never reached, and writes them into FOLDER/keys.txt.
 */
const folder = process.env.FOLDER;
const count = Number(process.env.COUNT);
const database = new Database(join(folder, 'better-auth.sqlite'));
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');

const options = {
  database,
  secret: 'only-for-a-benchmark-only-for-a-benchmark',
  baseURL: 'http://127.0.0.1:1',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 3_600_000, maxRequests: 1_000_000_000 } })],
};
const auth = betterAuth(options);
const { runMigrations } = await getMigrations(options);
await runMigrations();
const { user } = await auth.api.signUpEmail({
  body: { email: 'ada@acme.example', name: 'Ada', password: 'correct horse battery' },
});
const keys = [];
for (let i = 0; i < count; i++) {
  const made = await auth.api.createApiKey({
    body: { name: `Nightly export ${i}`, userId: user.id, permissions: { customers: ['read', 'write'] } },
  });
  keys.push(made.key);
}
writeFileSync(join(folder, 'keys.txt'), `${keys.join('\n')}\n`);

const server = createServer((req, res) => {
  let body = '';
  req.on('data', (piece) => {
    body += piece;
  });
  req.on('end', async () => {
    const { key } = JSON.parse(body);
    const result = await auth.api.verifyApiKey({ body: { key, permissions: { customers: ['read'] } } });
    res.writeHead(result.valid ? 200 : 401, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(result));
  });
}).listen(0, '127.0.0.1', () => console.log(`ready on http://127.0.0.1:${server.address().port}`));
process.once('SIGTERM', () => process.exit(0));
