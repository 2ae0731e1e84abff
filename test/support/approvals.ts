import { createHash, randomBytes } from 'node:crypto';
import { DEVICE_GRANT } from '../../shared/contract/device.ts';
import type { PageVisitor } from './browserless.ts';
import { type Answer, call } from './client.ts';

const form = (url: string, path: string, fields: Record<string, string>) =>
  call(url, 'POST', path, {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

/** What a person has approved, before whoever asked has come for it. */
export interface Approval {
  /** What it is worth a session with. */
  secrets: string[];
  /** Makes it a session. */
  redeem(): Promise<Answer>;
}

/** Lets an extension in on the page, as the person who is signed in there. */
export async function approveExtension(url: string, page: PageVisitor): Promise<Approval> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const asked = {
    client: 'extension',
    label: 'Chrome 142 on macOS',
    state: randomBytes(32).toString('base64url'),
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  const { location } = await page.submit('/connect', { ...asked, decision: 'approve' });
  const code = new URLSearchParams(new URL(location ?? '', url).hash.slice(1)).get('code') ?? '';
  const redeem = () => call(url, 'POST', '/v1/connect/token', { body: { code, codeVerifier } });
  return { secrets: [code, codeVerifier], redeem };
}

/** The same with a command line, by the code that it shows (RFC 8628). */
export async function approveCommandLine(url: string, page: PageVisitor): Promise<Approval> {
  const client = { client_id: 'heex-cli' };
  const { user_code, device_code } = (await form(url, '/v1/device/code', client)).body;
  await page.submit('/device/decide', { code: user_code, decision: 'approve' });
  const redeem = () => form(url, '/v1/device/token', { ...client, grant_type: DEVICE_GRANT, device_code });
  return { secrets: [device_code, user_code, user_code.replace('-', '')], redeem };
}
