import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolled, type RunningAgent, running, until } from '../support/agents.ts';
import { connect, signIn } from '../support/connect.ts';
import { ExtensionBrowser } from '../support/extension.ts';
import { Hand } from '../support/hand.ts';
import { type Scenario, scenario } from '../support/scenario.ts';

/*
 * From a workspace without a group to agents that are seen to come and go. One test is one step, each on what the one before
 * has left: a real browser, a real companion, the reference agent.
 */

let s: Scenario;
let ext: ExtensionBrowser;
let tab: Page;
let secret: string;
let agent: RunningAgent | undefined;
let workspace: Hand;

beforeAll(async () => {
  s = await scenario();
  ext = await ExtensionBrowser.launch();
  tab = await ext.browser.newPage();
  await signIn(tab, s.url, s.owner);
  await connect(ext, tab, s.url);
});
afterAll(async () => {
  await agent?.stop();
  await ext?.close();
  await s?.end();
});

/** The row of the agent, as text. */
const row = (name: string) =>
  workspace.page.$$eval(
    'tbody tr',
    (rows, wanted) => rows.find((tr) => tr.textContent?.includes(wanted))?.innerText ?? '',
    name,
  );

describe('an agent', () => {
  test('is enrolled with the key that the preset makes, in a workspace that had no group', async () => {
    const popup = new Hand(await ext.popup(tab));
    await popup.press('For the Heex Installer');
    await popup.see('No authorization group may enrol agents yet.');
    expect(await popup.faults()).toEqual([]);
    await popup.press('Make the group “Installers”');
    await popup.press('Create and copy');
    await popup.see('Copied to your clipboard');
    secret = await ext.clipboard(popup.page);
    await popup.press('I stored it');
    await popup.page.close();
    const credential = await enrolled(s.url, secret, 'truck-17');
    workspace = new Hand(await ext.open('workspace.html#/agents'));
    await workspace.see('truck-17');
    expect(await row('truck-17')).toContain('Never seen');

    agent = running(credential, { version: '2.9.1', hostName: 'truck-17.fleet' });
    await workspace.see('Running');
  });

  test('is seen to come and go on the open page, with its address, and the page keeps what is being done on it', async () => {
    await workspace.fill('Search agents', 'truck');
    expect(await row('truck-17')).toMatch(/truck-17\.fleet[\s\S]*Running[\s\S]*127\.0\.0\.1[\s\S]*2\.9\.1/);
    await workspace.press('Actions for truck-17');
    await agent?.stop();
    await workspace.see('Not seen');
    expect(await workspace.text()).toContain('Remove the agent…');
    expect(await workspace.page.$eval('[type=search]', (e) => (e as HTMLInputElement).value)).toBe('truck');
  });

  test('is found by its version and its key, and what was found is saved as a file', async () => {
    await workspace.page.reload();
    for (const [filter, value] of [
      ['Version', '2.9.1'],
      ['Key status', 'Expiring soon'],
    ] as const) {
      await workspace.press(filter);
      await workspace.press(value);
      await workspace.see(`${filter}: ${value}`);
    }
    expect(await row('truck-17')).toContain('Not seen');
    const folder = await mkdtemp(join(tmpdir(), 'heex-download-'));
    const control = await ext.browser.target().createCDPSession();
    await control.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    await workspace.press('Export');
    const file = await until(
      () => readFile(join(folder, 'agents.csv'), 'utf8').catch(() => ''),
      (text) => text.endsWith('\r\n'),
    );
    await rm(folder, { recursive: true });
    expect(file.split('\r\n')).toEqual([
      expect.stringContaining('"id","name","state"'),
      expect.stringMatching(
        /^"agt_.*","truck-17","disconnected",.*"2.9.1",.*"agent-install","heex_prod_.*","expiring_soon"/,
      ),
      '',
    ]);
  });

  test('is named by the key’s panel, which tells enrolling from other use', async () => {
    await workspace.page.evaluate(() => {
      location.hash = '#/keys';
    });
    await workspace.see('Enrolled 1 agent');
    expect(await row('agent-install')).toContain('Enrolled 1 agent');
    await workspace.press('agent-install');
    await workspace.see('Used for nothing else.');
    expect(await workspace.page.$eval('.panel', (e) => e.textContent)).not.toContain('Never used');
    await workspace.press('Revoke');
    await workspace.see('1 agent enrolled with it stays enrolled: truck-17.');
    expect(await workspace.faults()).toEqual([]);
  });
});
