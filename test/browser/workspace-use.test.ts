import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, button, focusedText, settle, text } from '../support/views/hands.ts';
import { Stage } from '../support/views/stage.ts';

let stage: Stage;
const pages: Page[] = [];
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
async function show(scene: string): Promise<Page> {
  const page = await stage.show(scene, 'light', { width: 1280, height: 800 });
  pages.push(page);
  return page;
}
const rows = (page: Page) => page.$$eval('tbody tr', (all) => all.length);

test('a key opens beside the table, which stays usable; Escape closes it and gives the focus back', async () => {
  const page = await show('w2-keys');
  await page.click('[data-key="key_cli-laptop"]');
  await page.waitForSelector('.panel .actions4');
  expect(await page.evaluate(() => location.hash)).toBe('#/key/key_cli-laptop');
  expect(await rows(page)).toBe(9);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.panel', { hidden: true });
  await expect.poll(() => focusedText(page)).toBe('cli-laptop');
});

test('the table is sorted by a column and says so', async () => {
  const page = await show('w2-keys');
  await page.locator('::-p-aria([name="Name"][role="button"])').click();
  await settle(page);
  expect(await page.$eval('[aria-sort]', (e) => [e.textContent, e.getAttribute('aria-sort')])).toEqual([
    'Name',
    'ascending',
  ]);
  expect(await text(page, 'tbody tr .cell__open')).toContain('a-name-that-goes');
});

test('a filter narrows the table and counts what is left', async () => {
  const page = await show('w2-keys');
  await button(page, 'Status').click();
  await page.locator('::-p-aria([name="Revoked"][role="menuitemradio"])').click();
  await settle(page);
  expect(await rows(page)).toBe(2);
  expect(await text(page, '.filters [role=status]')).toBe('2 keys');
});

test('several keys are revoked together only when the words were typed', async () => {
  const page = await show('w2-keys');
  await page.click('[aria-label="Select erp-export"]');
  await page.click('[aria-label="Select crm-integration"]');
  await button(page, 'Revoke').click();
  await page.waitForSelector('dialog[open]');
  await settle(page);
  await page.keyboard.type('revoke 2');
  await page.keyboard.press('Enter');
  expect(await asked(page, 'key.revokeMany')).toEqual([]);
  await page.keyboard.type(' keys');
  await page.keyboard.press('Enter');
  await settle(page);
  expect(await asked(page, 'key.revokeMany')).toEqual([{ keyIds: ['key_erp-export', 'key_crm-integration'] }]);
});

test('of several keys that are disabled together, the one that the server refuses stays as it was and is named', async () => {
  const page = await show('w2-keys-disable-refused');
  await page.click('[aria-label="Select erp-export"]');
  await page.click('[aria-label="Select old-dashboard"]');
  await button(page, 'Disable').click();
  await settle(page);
  const status = (name: string) =>
    page.$$eval(
      'tbody tr',
      (all, wanted) => all.find((row) => row.textContent?.includes(wanted))?.querySelector('.status')?.textContent,
      name,
    );
  expect([await status('erp-export'), await status('old-dashboard')]).toEqual(['Expiring soon', 'Disabled']);
  expect(await page.$$eval('.toast', (all) => all.map((e) => e.textContent).join())).toContain(
    'erp-export was not disabled',
  );
});

test('more keys than the server revokes at once are not revoked together, and the button says so', async () => {
  const page = await show('w2-keys-many');
  await page.click('[aria-label="Select all"]');
  await settle(page);
  const revoke = () => page.$eval('.bulk ::-p-aria(Revoke)', (e) => [e.ariaDisabled, e.getAttribute('title')]);
  expect(await revoke()).toEqual(['true', 'Select at most 100 to revoke them together']);
  await page.click('[aria-label="Select fleet-1"]');
  await settle(page);
  expect(await revoke()).toEqual([null, '']);
});

test('keys that no longer work can’t be selected', async () => {
  const page = await show('w2-keys');
  await page.click('[aria-label="Select all"]');
  await settle(page);
  expect(await text(page, '.bulk [role=status]')).toBe('6 selected');
});

test('an admin can’t rotate or edit someone else’s key, and is told whose it is', async () => {
  const page = await show('w2-keys');
  await page.click('[data-key="key_erp-export"]');
  await page.waitForSelector('.panel .actions4');
  const off = await page.$$eval('.actions4 .btn', (all) =>
    all.map((e) => [e.textContent, e.getAttribute('aria-disabled'), e.getAttribute('title') ?? '']),
  );
  expect(off).toEqual([
    ['Rotate', 'true', 'Only Marc Petit can do this'],
    ['Disable', null, ''],
    ['Edit', 'true', 'Only Marc Petit can do this'],
    ['Revoke', null, ''],
  ]);
});

test('a member sees neither other people’s pages nor their filters', async () => {
  const page = await show('w2-keys-member');
  expect(await page.$$eval('.side .nav a', (all) => all.map((e) => e.textContent))).toEqual(['Keys2', 'Agents41']);
  await page.evaluate(() => {
    location.hash = '#/audit';
  });
  await settle(page);
  expect(await text(page, 'h1')).toBe('Keys');
  expect(await asked(page, 'audit.list')).toEqual([]);
});

test('a role change is confirmed and sent', async () => {
  const page = await show('w3-members');
  await button(page, 'Role of Jonas Weber: Member').click();
  await page.locator('::-p-aria([name="Admin"][role="menuitemradio"])').click();
  await button(page, 'Make Admin').click();
  await settle(page);
  expect(await asked(page, 'team.setRole')).toEqual([{ memberId: 'mem_jonas', role: 'admin' }]);
});

const resetPassword = async (page: Page, of: string) => {
  await page.click(`[aria-label="Actions for ${of}"]`);
  await page.locator('::-p-aria([name="Reset the password…"][role="menuitem"])').click();
};

test('a reset link is shown to be handed over where the server sends no mail', async () => {
  const page = await show('w3-members');
  await resetPassword(page, 'Marc Petit');
  await button(page, 'Make a link').click();
  await page.waitForSelector('[aria-label="Reset link"]');
  expect(await text(page, 'dialog [role=status]')).toMatch(/^Give it to them/);
});

test('a reset link that was mailed is not shown; an admin makes none for another admin', async () => {
  const page = await show('w3-members-mail');
  await resetPassword(page, 'Jonas Weber');
  await button(page, 'Make a link').click();
  await page.waitForFunction(() => document.querySelector('dialog [role=status]')?.textContent?.includes('on its way'));
  expect(await text(page, 'dialog [role=status]')).toContain('A link is on its way to jonas@acme.example.');
  expect(await page.$('[aria-label="Reset link"]')).toBeNull();
  await button(page, 'Done').click();
  await page.click('[aria-label="Actions for Marc Petit"]');
  const item = '::-p-aria([name="Reset the password…"][role="menuitem"])';
  expect(await page.$eval(item, (e) => [e.ariaDisabled, e.getAttribute('title')])).toEqual([
    'true',
    'Only an owner can',
  ]);
});

test('the members’ table says what hangs on each of them, and how and when they were there', async () => {
  const page = await show('w3-members');
  const cells = (name: string) =>
    page.$$eval(
      '.table--people tbody tr',
      (all, who) =>
        [...(all.find((row) => row.textContent?.includes(who))?.querySelectorAll('td') ?? [])]
          .slice(2, 6)
          .map((cell) => cell.textContent),
      name,
    );
  expect(await cells('jonas@')).toEqual(['0in use', '5enrolled', 'Passkey +2Passkey, SSO, Password', '3 h ago']);
  expect(await cells('amara@')).toEqual(['1in use', '1,200enrolled', 'Nothing yet', 'Not signed in']);
});

test('the permission to enrol can be given in a workspace that has no group yet', async () => {
  const page = await show('w5-groups-first');
  await page.type('input[name=name]', 'Installers');
  await page.click('[aria-label="Agents: enroll"]');
  await button(page, 'Create group').click();
  await settle(page);
  expect(await asked(page, 'group.create')).toEqual([
    { body: { name: 'Installers', description: '', permissions: ['agents:enroll'] } },
  ]);
});

test('a group says what saving would change, and how many keys follow', async () => {
  const page = await show('w5-groups');
  await page.click('[aria-label="Events: write"]');
  await settle(page);
  expect(await text(page, '.unsaved [role=status]')).toBe('events:write removed 4 keys follow at once.');
  await button(page, 'Save').click();
  await settle(page);
  expect(
    ((await asked(page, 'group.edit')) as { body: { permissions: string[] } }[])[0]?.body.permissions,
  ).not.toContain('events:write');
});

test('an entry says what changed, and that the companion did not write it', async () => {
  const page = await show('w7-audit');
  const details = await page.$$eval('tbody tr td:nth-child(5)', (all) => all.map((cell) => cell.textContent));
  expect(details.slice(1)).toEqual([
    'IP allowlist: added 198.51.100.7',
    'role: member → admin',
    'role: member',
    'reason: leaked',
    'outside the companion',
  ]);
  expect(details[0]).toMatch(/^old secret ends: .+ · prefix: heex_prod_K4vT9mPz$/);
});

test('where no entry matches, the filters are cleared from there', async () => {
  const page = await show('w7-audit-empty');
  await page.type('[aria-label="Search the audit log"]', 'nobody');
  await page.waitForFunction(() => document.querySelector('.empty'));
  await button(page, 'Clear filters.').click();
  await settle(page);
  expect(await page.$eval('[aria-label="Search the audit log"]', (e) => (e as HTMLInputElement).value)).toBe('');
});

test('settings say who joins by single sign-on, and when SCIM last called about how many people', async () => {
  const page = await show('w8-settings');
  const about = await page.$$eval('.settings .card small', (all) => all.map((e) => e.textContent));
  expect(about).toContain('login.acme.example · open to people of acme.example');
  expect(about).toContain('Last call 4 min ago · 14 people provisioned');
  // Calls by tokens that are gone are not known: nothing is said of them.
  const off = await show('w8-settings-off');
  expect(await off.$$eval('.settings .card small', (all) => all.map((e) => e.textContent))).toEqual([
    'People sign in with a password or a passkey.',
    'No identity provider is connected · 0 people provisioned',
  ]);
});

test('a broken chain is said at once, and leads to the export', async () => {
  const page = await show('w7-audit-broken');
  expect(await text(page, '[role=alert]')).toContain('The chain breaks at entry 8,411.');
  expect(await page.$eval('.page-head .btn--primary', (e) => e.textContent)).toBe('Export now');
});

test('a verifier’s secret stays until it was stored', async () => {
  const page = await show('w8-settings');
  await button(page, 'New verifier').click();
  await page.waitForSelector('dialog[open]');
  await settle(page);
  await page.keyboard.type('events-gateway');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog .secret');
  expect(await asked(page, 'verifier.create')).toEqual([
    { body: { name: 'events-gateway', environment: 'production' } },
  ]);
  await page.keyboard.press('Escape');
  await settle(page);
  expect(await page.$('dialog .secret')).not.toBeNull();
  await button(page, 'I stored it').click();
  await settle(page);
  expect(await page.content()).not.toContain('heexv_K4vT9mPz');
});

test('a refused request is opened to the reason that its caller was not told', async () => {
  const page = await show('w6-log');
  await page.click('[aria-label="Details of req_3"]');
  await settle(page);
  expect(await text(page, '.log__details')).toContain('The key does not have a permission that was asked for.');
  await page.click('[aria-label="Details of req_3"]');
  await settle(page);
  expect(await page.$('.log__details')).toBeNull();
});

test('a request that enrolled an agent is marked as such', async () => {
  const page = await show('w6-log');
  expect(
    await page.$$eval('tbody tr', (all) => all.filter((e) => e.textContent?.includes('agent enrolled')).length),
  ).toBe(1);
});

test('the log is narrowed to one key by its address', async () => {
  const page = await show('w6-log');
  await page.evaluate(() => {
    location.hash = '#/log/key_main';
  });
  await settle(page);
  expect(((await asked(page, 'log.list')) as { query: { key?: string } }[]).at(-1)?.query.key).toBe('key_main');
});

test('the figures of the overview can be read as a table', async () => {
  const page = await show('w1-overview');
  expect(await page.$eval('svg.chart', (e) => e.getAttribute('aria-label'))).toMatch(/^[\d,]+ requests\. Most /);
  await button(page, 'Show as table').click();
  await settle(page);
  expect(await page.$$eval('.series-table tbody tr', (all) => all.length)).toBe(56);
});
