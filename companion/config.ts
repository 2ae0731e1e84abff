import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { HEARTBEAT_SECONDS } from '../shared/agent-protocol.ts';
import { parseTrustedProxies, type TrustedProxies } from './domain/client-address.ts';

export interface Config {
  host: string;
  port: number;
  dataFolder: string;
  hashKey: Buffer | undefined;
  /** Without a slash at the end; empty until the port is known when neither was set. */
  publicUrl: string | undefined;
  setupToken: string | undefined;
  keyLimit: number;
  plan: 'starter' | 'team';
  trustedProxies: TrustedProxies;
  /** Asked of who reads the metrics; without it they are for this machine alone. */
  metricsToken: string | undefined;
  /** Both or neither. The URL may hold a password. */
  mail: { smtpUrl: string; from: string } | undefined;
  /** Days that rows of the request log are kept. */
  requestDays: number;
  /** How often a connected agent is pinged. */
  agentHeartbeatSeconds: number;
}

/** A setting that can't be used. The message is one line that names it and says what would be right. */
export class BadConfig extends Error {}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new BadConfig(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

function readHashKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32 || key.toString('base64').replace(/=+$/, '') !== text.trim().replace(/=+$/, ''))
    throw new BadConfig('HEEX_HASH_KEY must be 32 bytes in base64, as `openssl rand -base64 32` makes them');
  return key;
}

function readMetricsToken(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[\x21-\x2b\x2d-\x7e]{16,200}$/.test(text))
    throw new BadConfig('HEEX_METRICS_TOKEN must be 16 to 200 visible ASCII characters, without a comma');
  return text;
}

function readTrustedProxies(text: string): TrustedProxies {
  const trusted = parseTrustedProxies(text);
  if (trusted.kind === 'wrong')
    throw new BadConfig(
      `HEEX_TRUSTED_PROXIES must be a number of hops or a list such as 10.0.0.0/8, 192.168.1.7, not "${text}": ${trusted.why}`,
    );
  return trusted;
}

function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash || url.pathname !== '/')
    throw new BadConfig(`HEEX_PUBLIC_URL must be an origin such as https://keys.example.com, not "${text}"`);
  return url.origin;
}

/** The message never holds the value: it may have a password in it. */
function readMail(smtpUrl: string | undefined, from: string | undefined): Config['mail'] {
  if (smtpUrl === undefined && from === undefined) return undefined;
  if (smtpUrl === undefined) throw new BadConfig('HEEX_MAIL_FROM is set but HEEX_SMTP_URL is not');
  const url = URL.canParse(smtpUrl) ? new URL(smtpUrl) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname)
    throw new BadConfig('HEEX_SMTP_URL must look like smtp://user:password@mail.example.com:587 or smtps://…');
  if (from === undefined || !/^([^<>\p{C}]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u.test(from))
    throw new BadConfig('HEEX_MAIL_FROM must be a sender such as Heex Keys <keys@example.com>');
  return { smtpUrl, from };
}

/**
 * Reads the settings. An empty variable counts as unset.
 * @throws BadConfig on the first that can't be used
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const get = (name: string) => env[name]?.trim() || undefined;
  const host = get('HEEX_HOST') ?? '127.0.0.1';
  if (!isIP(host) && !/^[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?$/i.test(host))
    throw new BadConfig(`HEEX_HOST must be an address or host name, not "${host}"`);
  if (get('HEEX_DATABASE_URL'))
    throw new BadConfig('HEEX_DATABASE_URL is not supported yet: leave it unset, the database is SQLite in HEEX_DATA');
  const plan = get('HEEX_PLAN') ?? 'team';
  if (plan !== 'team' && plan !== 'starter') throw new BadConfig(`HEEX_PLAN must be team or starter, not "${plan}"`);
  const setupToken = get('HEEX_SETUP_TOKEN');
  if (setupToken !== undefined && !/^[\x21-\x7e]{16,200}$/.test(setupToken))
    throw new BadConfig('HEEX_SETUP_TOKEN must be 16 to 200 visible ASCII characters');
  const [hashKey, publicUrl] = [get('HEEX_HASH_KEY'), get('HEEX_PUBLIC_URL')];
  return {
    host,
    port: wholeNumber('HEEX_PORT', get('HEEX_PORT') ?? '8787', 0, 65_535),
    dataFolder: resolve(get('HEEX_DATA') ?? './data'),
    hashKey: hashKey === undefined ? undefined : readHashKey(hashKey),
    publicUrl: publicUrl === undefined ? undefined : readPublicUrl(publicUrl),
    setupToken,
    keyLimit: wholeNumber('HEEX_KEY_LIMIT', get('HEEX_KEY_LIMIT') ?? '10', 0, 1_000_000),
    plan,
    requestDays: wholeNumber('HEEX_REQUEST_DAYS', get('HEEX_REQUEST_DAYS') ?? '30', 1, 3650),
    metricsToken: readMetricsToken(get('HEEX_METRICS_TOKEN')),
    trustedProxies: readTrustedProxies(get('HEEX_TRUSTED_PROXIES') ?? ''),
    mail: readMail(get('HEEX_SMTP_URL'), get('HEEX_MAIL_FROM')),
    agentHeartbeatSeconds: wholeNumber(
      'HEEX_AGENT_HEARTBEAT_SECONDS',
      get('HEEX_AGENT_HEARTBEAT_SECONDS') ?? String(HEARTBEAT_SECONDS),
      1,
      300,
    ),
  };
}
