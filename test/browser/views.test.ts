import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCENES } from '../support/views/scenes.ts';
import { Stage } from '../support/views/stage.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage?.close());

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Everything, or the one rule that colours can break. */
async function violations(page: Page, only?: 'color-contrast'): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async (rule) => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } };
    return (await axe.run(rule ? { runOnly: [rule] } : {})).violations;
  }, only);
  return found.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`));
}

/** Whether anything is wider than the window, or cut without a way to scroll to it. */
const overflow = (page: Page) =>
  page.evaluate(() => {
    const wide = [
      ...document.querySelectorAll<HTMLElement>('.popup, .popup__body, dialog, .dialog__body, .popup__foot'),
    ];
    // At this width of the full page no table needs to be scrolled.
    if (innerWidth > 1000) wide.push(...document.querySelectorAll<HTMLElement>('.page, .card'));
    return wide.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className);
  });

test.each(Object.keys(SCENES))(
  '%s has no accessibility violation and nothing sticks out, light and dark',
  async (scene) => {
    const size = SCENES[scene]?.surface === 'workspace' ? { width: 1280, height: 800 } : undefined;
    const page = await stage.show(scene, 'light', size);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    await stage.dress(page, 'dark');
    expect(await violations(page)).toEqual([]);
    await page.close();
  },
);
