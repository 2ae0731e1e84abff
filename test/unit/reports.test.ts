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
