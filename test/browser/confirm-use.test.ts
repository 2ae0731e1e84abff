import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asked, button, focusedText, settle, text } from '../support/views/hands.ts';
import { Stage } from '../support/views/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

/** The server refuses the next message of that type. */
const refuseNext = (page: Page, type: string) =>
  page.evaluate((refused) => {
    type Send = (message: { type: string }) => Promise<unknown>;
    const { runtime } = (globalThis as unknown as { browser: { runtime: { sendMessage: Send } } }).browser;
    const send = runtime.sendMessage;
    runtime.sendMessage = async (message) => {
      if (message.type !== refused) return send(message);
      runtime.sendMessage = send;
      return { ok: false, failure: { code: 'conflict', title: 'It changed meanwhile' } };
    };
  }, type);

const press = (words: string) => (page: Page) => button(page, words).click();
async function removeAgent(page: Page): Promise<void> {
  await page.click('[aria-label="Actions for edge-lyon-01"]');
  await page.locator('::-p-aria([name="Remove the agent…"][role="menuitem"])').click();
}
const DIALOGS: [act: string, scene: string, open: (page: Page) => Promise<void>, type: string, refused: string][] = [
  ['Remove agent', 'w4-agents', removeAgent, 'agent.remove', 'The agent was not removed'],
  ['Remove verifier', 'w8-settings', press('Remove events-gateway'), 'verifier.remove', 'The verifier was not removed'],
  ['Remove token', 'w8-settings', press('Remove Entra ID'), 'scim.removeToken', 'The token was not removed'],
];

test.each(DIALOGS)('“%s” asks first, with the way out in focus, and stays when it is refused', async (...row) => {
  const [act, scene, open, type, refused] = row;
  const page = await stage.show(scene, 'light', { width: 1280, height: 800 });
  await open(page);
  await page.waitForSelector('dialog[role=alertdialog][open]');
  expect(await focusedText(page)).toBe('Cancel');
  expect(await asked(page, type)).toEqual([]);
  await refuseNext(page, type);
  await button(page, act).click();
  await settle(page);
  expect(await text(page, 'dialog[open]')).toContain(refused);
  await button(page, act).click();
  await page.waitForSelector('dialog', { hidden: true });
  expect(await asked(page, type)).toHaveLength(1);
  await page.close();
});
