import { connectedBrowser, hasDisplay } from './browser.ts';
import { LEAVER, playHistory, STARTS } from './history.ts';
import { LENA, PASSWORD } from './people.ts';
import { World } from './world.ts';

// A companion on throw-away data with a believable workspace; where there is a display, a browser that is connected to it.
const fleet = new AbortController();
const closing: (() => Promise<unknown>)[] = [];
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    fleet.abort();
    for (const close of closing.reverse()) await close();
    process.exit(0);
  });

const progress = (share: number) => {
  if (process.stdout.isTTY) process.stdout.write(`\rPlaying six weeks of Acme Robotics… ${Math.round(share * 100)}%`);
};

async function run(): Promise<void> {
  const world = await World.open(process.env.HEEX_PORT ?? '8787', STARTS);
  closing.push(() => world.close());
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
  if (connected) closing.push(() => connected.browser.close());
  else console.log('To see the popup, load dist/extension/chrome-mv3 into a browser and connect it to that address.');
}

await run().catch((error: unknown) => {
  // Stopped in the middle: what was asked of the companion then fails, as it should.
  if (!stopping) throw error;
});
