import { build } from 'wxt';
import { Hand } from '../test/support/hand.ts';
import { connectedBrowser } from './demo/browser.ts';
import { playHistory, STARTS } from './demo/history.ts';
import { LENA, PASSWORD } from './demo/people.ts';
import { World } from './demo/world.ts';

// The picture in the README: the real popup over the demo workspace.
await build({ browser: 'chrome' });
const world = await World.open('0', STARTS);
const fleet = new AbortController();
await playHistory(world, () => {}, fleet.signal);
const connected = await connectedBrowser(world.companion.url, { email: LENA.email, password: PASSWORD });
if (!connected) throw new Error('The picture needs Chromium.');
const { browser, tab } = connected;
const popup = await browser.popup(tab);
await new Hand(popup).see('prod-main-app');
await popup.screenshot({ path: 'docs/popup.png' });
fleet.abort();
await browser.close();
await world.close();
