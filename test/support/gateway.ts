import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './port.ts';

const docs = join(import.meta.dirname, '../../docs/gateways');

async function untilOpen(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => done(true)).once('error', () => done(false));
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  throw new Error(`the gateway did not start: ${said()}`);
}

/** What stands behind the gateway: it notes what reaches it. */
export interface Service {
  port: number;
  reached: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[];
  close(): void;
}

export async function service(): Promise<Service> {
  const reached: Service['reached'] = [];
  const server: Server = createServer({ maxHeaderSize: 65_536 }, (req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => {
      reached.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body });
      res.end('from the service');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, reached, close: () => server.close() };
}

export interface Gateway {
  url: string;
  /** What it has logged. */
  said(): string;
  stop(): Promise<void>;
}

interface Ports {
  companion: number;
  service: number;
  verifier: string;
}

/** The documented configuration, with this test's ports in the place of its own. */
function documented(file: string, own: number, { companion, service: behind }: Ports): string {
  return readFileSync(join(docs, file), 'utf8')
    .replaceAll('127.0.0.1:8787', `127.0.0.1:${companion}`)
    .replaceAll('127.0.0.1:9000', `127.0.0.1:${behind}`)
    .replaceAll(/:8080\b/g, `:${own}`);
}

async function run(
  program: string,
  args: string[],
  port: number,
  folder: string,
  env: Record<string, string>,
): Promise<Gateway> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk;
    });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  await untilOpen(port, child, () => said);
  return {
    url: `http://127.0.0.1:${port}`,
    said: () => said,
    async stop() {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** nginx with `docs/gateways/nginx.conf`, as this user, in a folder of its own. */
export async function startNginx(program: string, ports: Ports): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'heex-nginx-'));
  const own = await freePort();
  const secret = join(folder, 'heex-verifier.conf');
  writeFileSync(secret, `proxy_set_header X-Heex-Verifier "${ports.verifier}";\n`, { mode: 0o600 });
  writeFileSync(
    join(folder, 'site.conf'),
    documented('nginx.conf', own, ports).replaceAll('/etc/nginx/heex-verifier.conf', secret),
  );
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((t) => `${t}_temp_path ${folder}/${t};`)
    .join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 128; }
http { access_log off; ${temp} include ${folder}/site.conf; }\n`,
  );
  return run(program, ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr'], own, folder, {});
}

/** Caddy with `docs/gateways/Caddyfile`. */
export async function startCaddy(program: string, ports: Ports): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'heex-caddy-'));
  const own = await freePort();
  const file = join(folder, 'Caddyfile');
  // Only a test shares its machine with other Caddys.
  writeFileSync(file, documented('Caddyfile', own, ports).replace(/^\{\n/m, '{\n\tadmin off\n'));
  const env = { HEEX_VERIFIER: ports.verifier, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return run(program, ['run', '--config', file, '--adapter', 'caddyfile'], own, folder, env);
}
