import { build } from 'wxt';
import { connectedBrowser, hasDisplay } from './demo/browser.ts';
import { LEAVER, playHistory, STARTS } from './demo/history.ts';
import { LENA, PASSWORD } from './demo/people.ts';
import { World } from './demo/world.ts';

// A companion on throw-away data with a believable workspace; where there is a display, a browser that is connected to it.
await build({ browser: 'chrome' });
const world = await World.open(process.env.HEEX_PORT ?? '8787', STARTS);
const fleet = new AbortController();
const progress = (share: number) => {
  if (process.stdout.isTTY) process.stdout.write(`\rPlaying six weeks of Acme Robotics… ${Math.round(share * 100)}%`);
};
await playHistory(world, progress, fleet.signal);
console.log(`

Heex Keys demo: ${world.companion.url}
  Sign in as ${LENA.email} with the password "${PASSWORD}" (everyone in it has the same).
  Things to try: look at the keys, finish the rotation of telemetry-ingest, remove ${LEAVER} and read what that changes.
  Everything is gone when you stop it (Ctrl-C).
`);
if (hasDisplay()) process.env.HEADFUL = '1';
const connected = hasDisplay()
  ? await connectedBrowser(world.companion.url, { email: LENA.email, password: PASSWORD })
  : undefined;
if (!connected)
  console.log('To see the popup, load dist/extension/chrome-mv3 into a browser and connect it to that address.');
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    fleet.abort();
    await connected?.browser.close();
    await world.close();
    process.exit(0);
  });
