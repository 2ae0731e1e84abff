import { defineBackground } from 'wxt/utils/define-background';
import { createBackground } from '../background/wire.ts';

export default defineBackground(() => {
  const background = createBackground({
    fetch: (...request) => fetch(...request),
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    randomBytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
    randomId: () => crypto.randomUUID(),
    userAgent: navigator.userAgent,
    origin: location.origin,
  });
  void background.start();
});
