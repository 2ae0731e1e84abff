import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, button, focused, focusedText, settle, text } from '../support/views/hands.ts';
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
  const page = await stage.show(scene);
  pages.push(page);
  return page;
}
test('the popup opens in the search; arrows go through the list, Enter opens, Escape comes back to the same row', async () => {
  const page = await show('p2-keys');
  expect(await focused(page)).toBe('Search keys');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await focusedText(page)).toContain('cli-laptop');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.actions4');
  expect(await text(page, 'h1')).toBe('cli-laptop');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.popup__tools');
  expect(await focusedText(page)).toContain('cli-laptop');
});

test('the list is one tab stop', async () => {
  const page = await show('p2-keys');
  expect(await page.$$eval('.krow[tabindex="0"]', (rows) => rows.length)).toBe(1);
});

test('letters are text while typing and shortcuts otherwise', async () => {
  const page = await show('p2-keys');
  await page.keyboard.type('n');
  expect(await page.$('.popup__tools')).not.toBeNull();
  await page.keyboard.press('Escape');
  await settle(page);
  expect(await page.$eval('input[type=search]', (e) => (e as HTMLInputElement).value)).toBe('');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('n');
  await page.waitForSelector('form');
  expect(await text(page, 'h1')).toBe('New key');
  expect(await focused(page)).toBe('name');
});

test('digits choose the environment and the count is read out', async () => {
  const page = await show('p2-keys');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('2');
  await settle(page);
  expect(await page.$$eval('.krow', (rows) => rows.length)).toBe(1);
  expect(await text(page, 'main [role=status]')).toBe('1 key');
});

test('disabling acts at once and can be undone', async () => {
  const page = await show('p5-detail');
  await button(page, 'Disable').click();
  await page.waitForSelector('.toast');
  expect(await text(page, '.toasts[role=status]')).toContain('prod-main-app disabled');
  await button(page, 'Undo').click();
  await settle(page);
  expect(await asked(page, 'key.disable')).toEqual([{ keyId: 'key_main' }]);
  expect(await asked(page, 'key.enable')).toEqual([{ keyId: 'key_main' }]);
});

test('revoking a used key needs its name: Enter does nothing until it matches', async () => {
  const page = await show('p7-revoke');
  expect(await page.$eval('dialog', (e) => e.getAttribute('role'))).toBe('alertdialog');
  await page.keyboard.type('prod-main');
  await page.keyboard.press('Enter');
  await button(page, 'Revoke key').click();
  expect(await asked(page, 'key.revoke')).toEqual([]);
  await page.type('dialog input:not([type=radio])', '-app');
  await page.click('dialog .chip:nth-child(3)');
  await button(page, 'Revoke key').click();
  await settle(page);
  expect(await asked(page, 'key.revoke')).toEqual([{ keyId: 'key_main', reason: 'leaked' }]);
});

test('an unused key is revoked without typing, and the focus starts on Cancel', async () => {
  const page = await show('p7-revoke-unused');
  expect(await focusedText(page)).toBe('Cancel');
  await button(page, 'Revoke key').click();
  await settle(page);
  expect(await asked(page, 'key.revoke')).toEqual([{ keyId: 'key_bench-rig' }]);
});

test('a dialog keeps the focus, gives it back to its opener and lets no shortcut through', async () => {
  const page = await show('p5-detail');
  await button(page, 'Revoke').click();
  await page.waitForSelector('dialog[open]');
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
  }
  await page.keyboard.press('r');
  await settle(page);
  expect(await page.$('dialog[open]')).not.toBeNull();
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { hidden: true });
  expect(await focusedText(page)).toBe('Revoke');
});

test('“Disable it instead” disables and leaves the dialog', async () => {
  const page = await show('p7-revoke');
  await button(page, 'Disable it instead').click();
  await page.waitForSelector('dialog[open]', { hidden: true });
  expect(await asked(page, 'key.disable')).toEqual([{ keyId: 'key_main' }]);
  expect(await asked(page, 'key.revoke')).toEqual([]);
});

test('a menu opens on its first item, goes round with the arrows and gives the focus back', async () => {
  const page = await show('p2-keys');
  await page.focus('.ws');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=menu]');
  expect(await focusedText(page)).toContain('Acme Robotics');
  await page.keyboard.press('ArrowUp');
  expect(await focusedText(page)).toContain('Open workspace page');
  await page.keyboard.press('f');
  expect(await focusedText(page)).toContain('Fleet Lab');
  await page.keyboard.press('Escape');
  await settle(page);
  expect(await page.$('[role=menu]')).toBeNull();
  expect(await focused(page)).toBe('Workspace: Acme Robotics. Switch workspace');
});

test('the theme is the person’s choice over the system’s', async () => {
  const page = await show('p2-keys');
  await page.click('[title=Account]');
  await page.locator('::-p-aria([name="Dark"])').click();
  await settle(page);
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
});

test('an invitation needs an address, and its link can be copied', async () => {
  const page = await show('p8-team');
  await button(page, 'Invite').click();
  await settle(page);
  expect(await text(page, '#invite-error')).toBe('Type an e-mail address.');
  await page.type('#invite-email', 'ada@acme.example');
  await button(page, 'Invite').click();
  await settle(page);
  expect(await asked(page, 'team.invite')).toEqual([{ emails: ['ada@acme.example'], role: 'member' }]);
});

test('removing a member shows what breaks and needs the typed address', async () => {
  const page = await show('p9-remove');
  expect(await page.$$eval('dialog h3', (all) => all.map((e) => e.textContent))).toEqual([
    '3 keys are revoked now',
    '2 were used directly and break at next launch',
    '4 agents keep running, 1 more stays enrolled',
    '1 secret to replace',
  ]);
  expect(await text(page, 'dialog')).toContain('They know the secret of verifier edge-gateway: replace it.');
  await page.keyboard.press('Enter');
  expect(await asked(page, 'team.remove')).toEqual([]);
  await page.keyboard.type('Jonas@acme.example');
  await page.keyboard.press('Enter');
  await settle(page);
  expect(await asked(page, 'team.remove')).toEqual([{ memberId: 'mem_jonas', version: '1.preview' }]);
});

test('agents that never ran are not said to keep running, and all of them can be read', async () => {
  const page = await show('p9-remove-fleet');
  expect(await page.$$eval('dialog h3', (all) => all.at(-1)?.textContent)).toBe('12 agents stay enrolled');
  expect(await page.$eval('dialog', (e) => e.innerText)).not.toContain('unit-12');
  await page.click('.agents-rest summary');
  expect(await page.$eval('dialog', (e) => e.innerText)).toContain('unit-12');
});

test('revoking names the agents that keep running, where there are any', async () => {
  const page = await show('p7-revoke');
  await settle(page);
  expect(await text(page, 'dialog')).toContain(
    '4 agents enrolled with it keep running, 1 more stays enrolled: truck-17, truck-22, rig-5, rig-6, rig-9.',
  );
  const unused = await show('p7-revoke-unused');
  await settle(unused);
  expect(await text(unused, 'dialog')).not.toMatch(/agent/i);
  expect(await text(unused, 'dialog')).toContain('It was never used.');
});

test('a key that only enrolled agents is not called unused', async () => {
  const detail = await show('p5-enrolled');
  await settle(detail);
  expect(await text(detail, '.popup__body')).toContain('Enrolled 5 agents');
  expect(await text(detail, '.popup__body')).not.toContain('Never used');
  const revoke = await show('p7-revoke-enrolled');
  await settle(revoke);
  expect(await text(revoke, 'dialog')).toContain('It was used to enrol agents, and for nothing else.');
});

test('a revoked key whose group was deleted since still says what it was allowed, and why it names no group', async () => {
  const page = await show('p5-group-deleted');
  await settle(page);
  const facts = await page.$$eval('.facts dt', (all) =>
    all.map((e) => [e.textContent, (e.nextElementSibling as HTMLElement | null)?.innerText]),
  );
  const group = facts.find(([word]) => word === 'Group')?.[1];
  expect(group).toMatch(/^A group that was deleted since\s+Events\s+read write/);
  expect(facts.filter(([, value]) => !value?.trim())).toEqual([]);
});

test('the preset for the installer chooses the group that may enrol, and of it that permission alone', async () => {
  const page = await show('p2-keys-empty');
  await page.locator('::-p-text(For the Heex Installer)').click();
  await page.waitForSelector('select[name=groupId]');
  expect(await page.$eval('select[name=groupId]', (e) => e.value)).toBe('grp_ingest');
  await button(page, 'Create and copy').click();
  await settle(page);
  const [sent] = (await asked(page, 'key.create')) as { body: Record<string, unknown> }[];
  expect(sent?.body).toMatchObject({ name: 'agent-install', permissions: ['agents:enroll'] });
});

test('a member without such a group is told whom to ask, and no key that can’t enrol is begun', async () => {
  const page = await show('p2-keys-empty-member');
  await page.locator('::-p-text(For the Heex Installer)').click();
  await settle(page);
  expect(await text(page, '.callout')).toContain('Ask an admin for a group with agents:enroll.');
  expect(await page.$('.callout button')).toBeNull();
});

test('when the server wants a recent sign-in, the dialog leads to its page and stays', async () => {
  const page = await show('p9-step-up');
  await page.keyboard.type('jonas@acme.example');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog .callout--warn');
  expect(await page.$eval('dialog .callout a', (e) => (e as HTMLAnchorElement).href)).toBe(
    'https://keys.acme.example/confirm?session=ses_1',
  );
});

test('a busy button keeps its width', async () => {
  const page = await show('p7-revoke-unused');
  const width = () => page.$eval('.dialog__foot .btn--danger', (e) => (e as HTMLElement).offsetWidth);
  const before = await width();
  await page.evaluate(() => {
    const { runtime } = (globalThis as unknown as { browser: { runtime: { sendMessage: unknown } } }).browser;
    runtime.sendMessage = () => new Promise(() => {});
  });
  await button(page, 'Revoke key').click();
  await settle(page);
  expect(await text(page, '.dialog__foot .btn--danger')).toBe('Revoking');
  expect(await width()).toBeGreaterThanOrEqual(before);
});

test('the keyboard list names what holds on the screen, and single letters can be turned off', async () => {
  const page = await show('p2-keys');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  expect(await text(page, '.shortcut-list')).toContain('New key');
  await page.click('input[role=switch]');
  await page.keyboard.press('Escape');
  await settle(page);
  await page.keyboard.press('n');
  await settle(page);
  expect(await page.$('.popup__tools')).not.toBeNull();
});
