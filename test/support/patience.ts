import { onTestFinished, vi } from 'vitest';

/**
 * Until the test is over, whoever looks at counts waits for them, however long writing takes a busy machine: what ends such a
 * wait is a timer, and these stand still. So does the one that writes counts now and then: only a look has them written.
 */
export function waitForCounts(): void {
  onTestFinished(() => {
    vi.useRealTimers();
  });
  vi.useFakeTimers({ toFake: ['setTimeout'] });
}
