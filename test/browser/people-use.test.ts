import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { asked, button, settle, text } from '../support/views/hands.ts';
import { AUDIT } from '../support/views/samples-workspace.ts';
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
const queries = async (page: Page) =>
  ((await asked(page, 'audit.list')) as { query: object }[]).map(({ query }) => query);

test('the audit log is narrowed by who did it and searched by person, key or hash', async () => {
  const page = await show('w7-audit');
  await button(page, 'Who').click();
  await page.locator('::-p-aria([name="Jonas Weber"][role="menuitemradio"])').click();
  await settle(page);
  expect((await queries(page)).at(-1)).toEqual({ limit: 50, actor: 'mem_jonas' });
  await button(page, 'Who: Jonas Weber').click();
  await page.locator('::-p-aria([name="Identity provider"][role="menuitemradio"])').click();
  await page.keyboard.press('/');
  await page.keyboard.type('9f2c41ab');
  await page.waitForFunction(() =>
    (globalThis as unknown as { asked: { payload: { query?: { q?: string } } }[] }).asked.some(
      ({ payload }) => payload?.query?.q === '9f2c41ab',
    ),
  );
  expect((await queries(page)).at(-1)).toEqual({ limit: 50, actor: 'scim', q: '9f2c41ab' });
});

test('an entry names the member who did it, with the address that it has on record', async () => {
  const page = await show('w7-audit');
  expect(await page.$eval('tbody td:nth-child(3) .row', (e) => [e.textContent, e.getAttribute('title')])).toEqual([
    'Lena Fischer',
    'lena@acme.example',
  ]);
  expect(await text(page, '.page-head [role=status]')).toMatch(/^8,413 entries since \d+ \w+ \d{4} · checked/);
});

test('the broken entry is marked in words, too, and can be gone to', async () => {
  const page = await show('w7-audit-broken');
  expect(await page.$$eval('tr.is-broken', (rows) => rows.map((row) => row.querySelector('td')?.textContent))).toEqual([
    '8,411',
  ]);
  expect(await text(page, 'tr.is-broken td:last-child')).toContain('The chain breaks here.');
  await button(page, 'Show entry 8,411').click();
  await page.waitForFunction(() => document.body.textContent?.includes('From entry 8,414 down.'));
  await settle(page);
  expect((await queries(page)).at(-1)).toEqual({ limit: 50, cursor: '8415' });
  await button(page, 'Show the newest').click();
  await settle(page);
  expect((await queries(page)).at(-1)).toEqual({ limit: 50 });
});

test('the head of the log can be copied and compared with one that was kept', async () => {
  const page = await show('w7-audit');
  const { seq, hash } = AUDIT[0] as { seq: number; hash: string };
  await button(page, `Head ${hash.slice(0, 8)}`).click();
  await page.waitForSelector('dialog[open]');
  expect(await text(page, 'dialog .head-hash')).toBe(hash);
  await page.keyboard.type('8413');
  await page.keyboard.press('Enter');
  await settle(page);
  expect(await text(page, 'dialog .field__error')).toContain('64 digits');
  const retype = (words: string) =>
    page.$eval(
      'dialog input',
      (input, value) => {
        input.value = value;
        input.dispatchEvent(new Event('input', { bubbles: true }));
      },
      words,
    );
  await retype(`${seq} ${hash}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog [role=status] b');
  expect(await text(page, 'dialog .callout')).toContain('Nothing up to entry 8,413 was changed or cut off');
  await retype(`1 ${hash}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog [role=alert]');
  expect(await text(page, 'dialog [role=alert]')).toContain('It breaks at entry 1.');
  expect(await asked(page, 'audit.verify')).toEqual([
    { query: {} },
    { query: { seq, hash } },
    { query: { seq: 1, hash } },
  ]);
});

test('after a removal, what has to get another key stays until it is closed', async () => {
  const page = await show('w3-remove');
  expect(await page.$$eval('dialog .removal__acts .btn', (all) => all.map((e) => e.textContent))).toEqual([
    'Copy report',
    'Cancel',
    'Remove and revoke 3 keys',
  ]);
  await page.keyboard.type('jonas@acme.example');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog h2')?.textContent === 'Jonas Weber was removed');
  expect(await page.$$eval('dialog h3', (all) => all.map((e) => e.textContent))).toEqual([
    '2 were used directly and break at next launch',
    '4 agents keep running, 1 more stays enrolled',
    '1 secret to replace',
  ]);
  expect(await text(page, 'dialog')).toContain('They know the secret of verifier edge-gateway: replace it.');
  expect(await text(page, 'dialog')).toContain('3 keys revoked · 2 sessions ended');
  expect(await page.$('dialog .link')).not.toBeNull();
  await button(page, 'Done').click();
  await page.waitForSelector('dialog', { hidden: true });
});

test('a removal that breaks nothing is told in passing', async () => {
  const page = await show('w3-remove-quiet');
  await page.keyboard.type('jonas@acme.example');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog', { hidden: true });
  expect(await text(page, '.toasts')).toContain('Jonas Weber removed. 3 keys revoked.');
});

test('several people are invited at once; who was not stays in the field with the reason', async () => {
  const page = await show('w3-members');
  await page.type('#invite-email', 'ada@acme.example; marc@acme.example,ben@acme.example ada@acme.example');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[aria-label="Invitation link for ben@acme.example"]');
  expect(await asked(page, 'team.invite')).toEqual([
    { emails: ['ada@acme.example', 'marc@acme.example', 'ben@acme.example'], role: 'member' },
  ]);
  expect(await text(page, '.callout--ok')).toContain('2 people are invited. Send each their link.');
  expect(await page.$eval('#invite-email', (e) => (e as HTMLInputElement).value)).toBe('marc@acme.example');
  expect(await text(page, '#invite-error')).toBe('Not invited: marc@acme.example is a member already.');
});

test('of several addresses the one that is none is named', async () => {
  const page = await show('w3-members');
  await page.type('#invite-email', 'ada@acme.example, ben(at)acme');
  await page.keyboard.press('Enter');
  await settle(page);
  expect(await text(page, '#invite-error')).toBe('“ben(at)acme” isn’t an e-mail address.');
  expect(await asked(page, 'team.invite')).toEqual([]);
});

test('an invitation that was mailed says so, and one that waits is sent again', async () => {
  const page = await show('w3-members');
  await page.type('#invite-email', 'mail@acme.example');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.callout--ok');
  expect(await text(page, '.callout--ok')).toContain('mail@acme.example is invited. The invitation was mailed.');
  await button(page, 'Send again to tomas@acme.example').click();
  await page.waitForFunction(() => document.querySelector('.toasts')?.textContent?.includes('tomas@acme.example'));
  expect((await asked(page, 'team.invite')).at(-1)).toEqual({ emails: ['tomas@acme.example'], role: 'member' });
});
