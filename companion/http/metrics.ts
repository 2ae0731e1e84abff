import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tokenOf } from '../../shared/presented-key.ts';
import type { Deps } from '../app/deps.ts';
import { Refusal } from '../domain/refusal.ts';
import type { App } from './context.ts';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/**
 * Whether somebody may read the metrics: whoever has the token; without one being set, whoever is on this machine and not
 * merely passed on by a proxy on this machine.
 */
function mayRead(request: IncomingMessage, token: string | undefined): boolean {
  if (token !== undefined) {
    const given = tokenOf(request.headers.authorization) ?? '';
    return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'));
  }
  const { headers, socket } = request;
  const passedOn = headers['x-forwarded-for'] ?? headers.forwarded ?? headers['x-real-ip'] ?? headers.via;
  return passedOn === undefined && LOOPBACK.test(socket.remoteAddress ?? '');
}

type Sample = [labels: string, value: number];

/** One metric in the text format of Prometheus (0.0.4). */
function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}
const one = (value: number): Sample[] => [['', value]];

/** `GET /metrics`, for Prometheus. Nothing in it names a key, a person or an address. */
export function bindMetrics(app: App, deps: Deps, token: string | undefined): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  app.get('/metrics', (c) => {
    if (!mayRead(c.env.incoming, token))
      throw new Refusal('unauthorized', 'Metrics are for this machine alone, or for who has HEEX_METRICS_TOKEN.');
    const checker = deps.checker.stats();
    const usage = deps.usage.stats();
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const slowest = delay.percentile(99) / 1e9;
    delay.reset();
    const text = [
      metric(
        'heex_checks_total',
        'counter',
        'Checks of keys, by outcome.',
        [...checker.outcomes].map(([code, count]): Sample => [`{code="${code}"}`, count]),
      ),
      metric('heex_key_lookups_total', 'counter', 'Keys read from the database.', one(checker.lookUps)),
      metric('heex_keys_remembered', 'gauge', 'Keys in memory.', one(checker.remembered)),
      metric('heex_stream_listeners', 'gauge', 'Services that follow the changes.', one(deps.changes.listeners)),
      metric('heex_agents_connected', 'gauge', 'Agents that are connected to this process.', one(deps.agents.count)),
      metric('heex_request_rows_waiting', 'gauge', 'Rows of the request log not written yet.', one(usage.waiting)),
      metric(
        'heex_request_rows_dropped_total',
        'counter',
        'Rows of the request log for which there was no room.',
        one(usage.dropped),
      ),
      metric('process_cpu_seconds_total', 'counter', 'CPU time.', one((cpu.user + cpu.system) / 1e6)),
      metric('process_resident_memory_bytes', 'gauge', 'Memory in use.', one(memory.rss)),
      metric('nodejs_heap_size_used_bytes', 'gauge', 'Heap in use.', one(memory.heapUsed)),
      metric(
        'nodejs_eventloop_lag_p99_seconds',
        'gauge',
        'Delay of the event loop since the last reading.',
        one(slowest),
      ),
      metric('process_uptime_seconds', 'gauge', 'Time since the start.', one(process.uptime())),
    ].join('');
    return c.body(text, 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}
