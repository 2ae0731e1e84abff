import { createVerifier } from '../shared/verifier/index.ts';
import { fixed, machine, quantile, table, whole } from './lib/report.ts';
import { authOnce, companionOn, open, verifyOnce } from './lib/scene.ts';

/*
 * From "revoked" acknowledged to "refused", for each way of asking: `npm run bench:acknowledged`. A revocation is sent to one
 * companion; as soon as it has answered, the key is asked about, again and again, until it is refused.
 */
const TIMES = 200;
const { seeded, companion } = await open(10_000, false);
const other = await companionOn(seeded);
const verifier = createVerifier({ url: companion.url, secret: seeded.verifier });
const far = createVerifier({ url: other.url, secret: seeded.verifier });
if (!(await verifier.ready(5_000)) || !(await far.ready(5_000))) throw new Error('the stream does not come');

const asked = async (url: string, key: string) =>
  ((await (await verifyOnce(url, seeded.verifier, key)).json()) as { valid: boolean }).valid;
const inProcess = async (which: typeof verifier, key: string) =>
  (await which.check({ key, permissions: ['customers:read'], ip: '10.1.2.3' })).valid;
const ways: [string, (key: string) => Promise<boolean>][] = [
  ['`POST /v1/verify`, same process', (key) => asked(companion.url, key)],
  ['`GET /v1/auth`, same process', async (key) => (await authOnce(companion.url, seeded.verifier, key)).ok],
  ['`POST /v1/verify`, another process', (key) => asked(other.url, key)],
  ['in-process verifier, same companion', (key) => inProcess(verifier, key)],
  ['in-process verifier, another companion', (key) => inProcess(far, key)],
];

const idOf = async (key: string) =>
  ((await (await verifyOnce(companion.url, seeded.verifier, key)).json()) as { key: { id: string } }).key.id;
async function revoke(id: string): Promise<void> {
  const headers = { Authorization: `Bearer ${seeded.session}` };
  const response = await fetch(`${companion.url}/v1/workspaces/ws_1/keys/${id}/revoke`, { method: 'POST', headers });
  if (response.status !== 200) throw new Error(`not revoked: ${response.status}`);
  await response.arrayBuffer();
}

const rows: string[][] = [];
let at = 0;
for (const [name, isGood] of ways) {
  const waits: number[] = [];
  let stale = 0;
  for (let i = 0; i < TIMES; i++) {
    const key = seeded.keys[at++] as string;
    const id = await idOf(key);
    if (!(await isGood(key))) throw new Error('a good key was refused');
    await revoke(id);
    const acknowledged = performance.now();
    while (await isGood(key)) {
      stale++;
      await new Promise((done) => setImmediate(done));
    }
    waits.push(performance.now() - acknowledged);
  }
  const ms = (share: number) => fixed(quantile(waits, share), 1);
  rows.push([name, whole(stale), ms(0.5), ms(0.99), ms(1)]);
}
await Promise.all([verifier.close(), far.close()]);
await Promise.all([companion.stop(), other.stop()]);
console.log(`${machine()}\n\n${table(['asked by', 'stale answers', 'median ms', 'p99 ms', 'slowest ms'], rows)}`);
