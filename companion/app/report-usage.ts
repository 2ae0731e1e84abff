import { statusOf } from '../../shared/check.ts';
import type { UsageReport, VerifyCode } from '../../shared/contract/verify.ts';
import type { Deps, SecretRef, Verifier } from './deps.ts';

/**
 * Counts what a service has decided by itself. What is not about a key of its workspace is left out, and of a key of another
 * environment all but that it was refused as a key: no other decision about it can be the service's. What is dated in the future
 * counts as now.
 * @returns how many uses were counted; those of a batch that was sent before, too
 */
export async function reportUsage(deps: Deps, verifier: Verifier, report: UsageReport): Promise<{ counted: number }> {
  const secrets = await findSecrets(deps, verifier, [...report.uses, ...report.notes]);
  const now = deps.now();
  const known = <T extends { keyId: string; secretId: string; code: VerifyCode }>(
    items: readonly T[],
  ): (T & SecretRef)[] =>
    items.flatMap((item) => {
      const secret = secrets.get(item.secretId);
      if (secret?.keyId !== item.keyId) return [];
      const decides = secret.environment === verifier.environment || statusOf(item.code) === 401;
      return decides ? [{ ...item, ...secret }] : [];
    });
  const uses = known(report.uses).map((u) => ({ ...u, lastAt: Math.min(u.lastAt, now) }));
  const notes = known(report.notes).map((n) => ({ ...n, at: Math.min(n.at, now) }));
  await deps.usage.report(verifier.id, report.batch, uses, notes);
  return { counted: uses.reduce((sum, u) => sum + u.count, 0) };
}

async function findSecrets(
  deps: Deps,
  verifier: Verifier,
  items: readonly { secretId: string }[],
): Promise<Map<string, SecretRef>> {
  const ids = [...new Set(items.map((i) => i.secretId))];
  if (!ids.length) return new Map();
  const rows = await deps.store.read
    .selectFrom('api_key_secret')
    .innerJoin('api_key', 'api_key.id', 'api_key_secret.key_id')
    .select([
      'api_key_secret.id as secretId',
      'api_key_secret.prefix',
      'api_key.id as keyId',
      'api_key.environment',
      'workspace_id as workspaceId',
    ])
    .where('api_key_secret.id', 'in', ids)
    .where('workspace_id', '=', verifier.workspaceId)
    .execute();
  return new Map(rows.map((row) => [row.secretId, row]));
}
