import { expect, test } from 'vitest';
import type { KeyFacts } from '../../shared/check.ts';
import { MOST_COUNTED, type UsageReport } from '../../shared/contract/verify.ts';
import { createReports } from '../../shared/verifier/reports.ts';

test('more uses than one line may stand for are told in several, all of them', async () => {
  const sent: UsageReport[] = [];
  const reports = createReports(async (report) => {
    sent.push(report);
    return true;
  });
  const key = { keyId: 'key_1', secretId: 'sec_1' } as KeyFacts;
  for (let i = 0; i <= MOST_COUNTED; i++) reports.add(key, 'valid', 'req_1', 1, null, null);
  await reports.close();
  expect(sent.flatMap((r) => r.uses.map((u) => u.count))).toEqual([MOST_COUNTED, 1]);
});

test('no report is larger than the companion reads, however long the names of programs are, and all arrive', async () => {
  const sent: UsageReport[] = [];
  const reports = createReports(async (report) => {
    sent.push(structuredClone(report));
    return true;
  });
  for (let i = 0; i < 1_200; i++) {
    const key = { keyId: `key_${i}`, secretId: `sec_${i}` } as KeyFacts;
    reports.add(key, i % 2 ? 'valid' : 'expired', `req_${i}`, 1, '10.0.0.1', '\u20ac'.repeat(512));
  }
  expect(await reports.flush()).toBe(true);
  for (const report of sent) expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(256 * 1024);
  expect(sent.flatMap((r) => r.uses).reduce((sum, u) => sum + u.count, 0)).toBe(1_200);
  expect(sent.flatMap((r) => r.notes).filter((n) => n.code === 'expired').length).toBe(600);
});

test('whoever hands in what is waiting hears that it arrived when all of it did, also what came after one that had failed', async () => {
  let isDown = true;
  const arrived: number[] = [];
  const reports = createReports(async ({ uses }) => {
    if (!isDown) arrived.push(...uses.map((u) => u.count));
    return !isDown;
  });
  const key = { keyId: 'key_1', secretId: 'sec_1' } as KeyFacts;
  const use = () => reports.add(key, 'valid', 'req_1', 1, null, null);
  use();
  expect(await reports.flush()).toBe(false);
  use();
  use();
  isDown = false;
  expect(await reports.flush()).toBe(true);
  expect(arrived).toEqual([1, 2]);
});
