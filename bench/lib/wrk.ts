import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What wrk sends: text around a key, another key with every request. */
export interface Load {
  url: string;
  keysFile: string;
  before: string;
  after: string;
}
export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  errors: number;
}

const SCRIPT = `
local keys = {}
for line in io.lines(os.getenv("KEYS")) do keys[#keys + 1] = line end
local before, after = os.getenv("BEFORE"), os.getenv("AFTER")
math.randomseed(os.time())
local n = #keys
local at = math.random(n)
-- Keys one after another would be kinder to memory than use is: a step that is prime to any count scatters them.
function request()
  at = (at + 7919) % n
  return before .. keys[at + 1] .. after
end
`;

const milliseconds = (text: string): number => {
  const [, value, unit] = /([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1);
};

/** @param connections open at once */
export async function wrk(load: Load, seconds: number, connections = 32): Promise<Measured> {
  const script = join(tmpdir(), `heex-bench-${process.pid}.lua`);
  writeFileSync(script, SCRIPT);
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, load.url], {
    env: { PATH: process.env.PATH ?? '', KEYS: load.keysFile, BEFORE: load.before, AFTER: load.after },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  await new Promise((done, fail) => {
    child.once('error', () => fail(new Error('wrk is needed: apt-get install wrk')));
    child.once('exit', done);
  });
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(/^ +50% +(\S+)/m.exec(text)?.[1] ?? ''),
    p99Ms: milliseconds(/^ +99% +(\S+)/m.exec(text)?.[1] ?? ''),
    errors: number(/Non-2xx or 3xx responses: (\d+)/) + number(/Socket errors:.*?timeout (\d+)/),
  };
}

/** `POST /v1/verify` with everything asked for, as text around the key. */
export function verifyLoad(url: string, keysFile: string, verifier: string): Load {
  const [open, close] = ['{"key":"', '","permissions":["customers:read"],"ip":"10.1.2.3","userAgent":"nightly/1.4"}'];
  const length = open.length + close.length + 56;
  const head = [
    'POST /v1/verify HTTP/1.1',
    `Host: ${new URL(url).host}`,
    `Authorization: Bearer ${verifier}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
  ];
  return { url, keysFile, before: `${head.join('\r\n')}\r\n\r\n${open}`, after: close };
}

/** `GET /v1/auth` as a gateway asks. */
export function authLoad(url: string, keysFile: string, verifier: string): Load {
  const head = [
    'GET /v1/auth?permission=customers:read HTTP/1.1',
    `Host: ${new URL(url).host}`,
    `X-Heex-Verifier: ${verifier}`,
    'X-Forwarded-For: 10.1.2.3',
    'User-Agent: nightly/1.4',
  ];
  return { url, keysFile, before: `${head.join('\r\n')}\r\nX-API-Key: `, after: '\r\n\r\n' };
}
