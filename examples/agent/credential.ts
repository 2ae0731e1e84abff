import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The file can't be used; the message is one line that says what to do. */
export class CredentialRefused extends Error {}

/** What an agent keeps. The API key is never part of it. */
export interface Credential {
  /** Origin of the companion. */
  url: string;
  /** Null until the companion has answered the enrolment. */
  agentId: string | null;
  privateKey: KeyObject;
  /** `x` of the public JWK. */
  x: string;
}

const xOf = (privateKey: KeyObject): string => {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (typeof x !== 'string') throw new CredentialRefused('the private key is not an Ed25519 key');
  return x;
};

/** A new key pair (Ed25519), known to no one yet. */
export function newCredential(url: string): Credential {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { url, agentId: null, privateKey, x: xOf(privateKey) };
}

/** The signature of the agent over a text, in base64url. */
export function signText(credential: Credential, text: string): string {
  return sign(null, Buffer.from(text), credential.privateKey).toString('base64url');
}

/**
 * Writes the file for its owner alone, whole or not at all: a crash leaves the old one or the new one.
 * @param replace whether a file may be there already
 */
export function writeCredential(file: string, credential: Credential, replace: boolean): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify(
    {
      url: credential.url,
      agentId: credential.agentId,
      privateKey: credential.privateKey.export({ format: 'jwk' }),
    },
    null,
    2,
  )}\n`;
  if (!replace) {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true });
    return;
  }
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(draft, file);
}

/** Refuses a file that others may read or write. Windows has no such rights; there the folder's own count. */
function refuseWiderRights(handle: number, file: string): void {
  if (process.platform === 'win32') return;
  const { mode, uid } = fstatSync(handle);
  if (uid !== process.getuid?.())
    throw new CredentialRefused(`${file} belongs to another user; an agent reads only its own`);
  if (mode & 0o077)
    throw new CredentialRefused(
      `${file} can be read by others (mode ${(mode & 0o777).toString(8)}): its key may be known. ` +
        `Remove the agent and install it anew, or, if you are sure, run: chmod 600 ${file}`,
    );
}

/** @throws CredentialRefused when the file is missing, open to others or not a credential */
export function readCredential(file: string): Credential {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    const { code } = error as { code?: string };
    throw new CredentialRefused(
      code === 'ENOENT' ? `${file} is not there; run heex-agent install first` : `${file} can't be read (${code})`,
    );
  }
  try {
    refuseWiderRights(handle, file);
    const { url, agentId, privateKey } = JSON.parse(readFileSync(handle, 'utf8'));
    if (typeof url !== 'string' || (agentId !== null && typeof agentId !== 'string'))
      throw new CredentialRefused(`${file} is not the credential of an agent`);
    const key = createPrivateKey({ key: privateKey, format: 'jwk' });
    return { url, agentId, privateKey: key, x: xOf(key) };
  } catch (error) {
    if (error instanceof CredentialRefused) throw error;
    // Not the message of the parser: it may quote what is in the file.
    throw new CredentialRefused(`${file} is not the credential of an agent`);
  } finally {
    closeSync(handle);
  }
}
