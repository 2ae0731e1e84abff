import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentReport, CLOSE } from '../../shared/agent-protocol.ts';
import { backoff } from './backoff.ts';
import { type AgentConnection, connect, type Ending } from './connection.ts';
import type { Credential } from './credential.ts';
import { printable } from './printable.ts';

export type AgentLog = (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void;

/** Why an agent gave up for good, or that it was told to stop. */
export type Outcome = 'stopped' | 'removed' | 'replaced';

/** A connection that lived this long counts as one that worked: the next failure is the first again. */
const WORKED_MS = 10_000;
/** Replaced this often within this time: another process runs with the same credential, and goes on doing so. */
const REPLACED_MOST = 3;
const REPLACED_WITHIN_MS = 60_000;

/** Tells a credential that two processes use from one connection that overtook another, as after a lost network. */
function countReplaced(): () => boolean {
  let times: number[] = [];
  return () => {
    const now = performance.now();
    times = [...times.filter((at) => now - at < REPLACED_WITHIN_MS), now];
    return times.length >= REPLACED_MOST;
  };
}

function log(to: AgentLog, { code, reason, status, livedMs }: Ending): void {
  const fields = { code, ...(reason ? { reason: printable(reason) } : {}), ...(status ? { status } : {}) };
  if (code === CLOSE.proofRefused) to('error', 'not known to the companion', fields);
  else to('warn', livedMs > 0 ? 'disconnected' : 'not connected', fields);
}

/**
 * Stays connected until it is told to stop, the agent is removed, or another copy of it takes over again and again (the one that
 * was there first gives up). Everything else, a companion that restarts above all, is answered by connecting again.
 */
export async function stayConnected(
  credential: Credential,
  report: AgentReport,
  to: AgentLog,
  stop: AbortSignal,
  random: () => number = Math.random,
): Promise<Outcome> {
  let failures = 0;
  const tooOften = countReplaced();
  while (!stop.aborted) {
    const connection = connect(credential, report, (name) => to('info', 'connected', { name }));
    const ending = await untilEnded(connection, stop);
    if (stop.aborted) break;
    if (ending.code === CLOSE.removed) return 'removed';
    if (ending.code === CLOSE.replaced && tooOften()) return 'replaced';
    failures = ending.livedMs >= WORKED_MS ? 0 : failures + 1;
    const waitMs = Math.round((ending.retryAfterMs ?? 0) + backoff(Math.max(0, failures - 1), random()));
    log(to, ending);
    to('info', 'connecting again', { inMs: waitMs });
    await sleep(waitMs, undefined, { signal: stop }).catch(() => {});
  }
  return 'stopped';
}

async function untilEnded(connection: AgentConnection, stop: AbortSignal): Promise<Ending> {
  const close = () => connection.close();
  stop.addEventListener('abort', close, { once: true });
  try {
    return await connection.ended;
  } finally {
    stop.removeEventListener('abort', close);
  }
}
