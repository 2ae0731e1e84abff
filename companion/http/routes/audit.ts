import { audit } from '../../../shared/contract/audit.ts';
import { exportAudit, listAudit } from '../../app/audit-log.ts';
import type { Deps } from '../../app/deps.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

const TYPES = { jsonl: 'application/jsonl; charset=utf-8', csv: 'text/csv; charset=utf-8; header=present' };

export function bindAudit(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, audit.listAudit, authenticate, ({ caller, query }) => listAudit(deps, caller.member.workspaceId, query));
  bind(app, audit.verifyAudit, authenticate, ({ caller, query: { seq, hash } }) =>
    deps.store.verifyAudit(
      caller.member.workspaceId,
      seq === undefined || hash === undefined ? undefined : { seq, hash },
    ),
  );
  bind(app, audit.exportAudit, authenticate, async ({ caller, query, c }) => {
    const day = new Date(deps.now()).toISOString().slice(0, 10);
    return new Response(
      streamed(exportAudit(deps, caller, query), () => c.env.incoming.destroy()),
      {
        headers: {
          'Content-Type': TYPES[query.format],
          'Content-Disposition': `attachment; filename="heex-audit-${day}.${query.format}"`,
        },
      },
    );
  });
}

/**
 * Pulled by the connection: a slow reader makes the database wait, not the memory grow.
 * @param cut ends the connection, so that what was refused half-way does not look whole
 */
function streamed(texts: AsyncGenerator<string>, cut: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { value, done } = await texts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        cut();
        controller.close();
      }
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
}
