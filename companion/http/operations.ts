import { Refusal } from '../domain/refusal.ts';
import type { App } from './context.ts';
import { openApiDocument } from './openapi.ts';

/** What operators and tools ask for. */
export function bindOperations(app: App, ready: () => Promise<void>): void {
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    try {
      await ready();
    } catch {
      throw new Refusal('unavailable');
    }
    return c.json({ status: 'ready' });
  });
  app.get('/openapi.json', (c) => c.json(openApiDocument()));
}
