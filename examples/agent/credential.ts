import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** What was put into the folder is there after a power cut too. Windows can't open folders, and needs no such thing. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Gives a draft its name. Unlike a renaming, a link never takes the place of a file that is there. */
function putNew(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EEXIST' || existsSync(file)) throw Object.assign(new Error(`${file} is there`), { code: 'EEXIST' });
    // A file system without links, such as FAT.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    renameSync(draft, file);
  }
}

/**
 * Writes the file for its owner alone, whole or not at all: a crash, a full disk or a power cut leaves the old one or the
 * new one.
 * @param replace whether a file may be there already; else one that is there makes it fail with EEXIST
 */
export function writeCredential(file: string, credential: Credential, replace: boolean): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { url, agentId, privateKey } = credential;
  const text = `${JSON.stringify({ url, agentId, privateKey: privateKey.export({ format: 'jwk' }) }, null, 2)}\n`;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    if (replace) renameSync(draft, file);
    else putNew(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(folder);
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

/**
 * Opens what is there, or undefined where nothing is, or a file without anything in it.
 * @throws CredentialRefused when it is open to others or not a credential
 */
export function findCredential(file: string): Credential | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return undefined;
    throw new CredentialRefused(`${file} can't be read (${code})`);
  }
  try {
    refuseWiderRights(handle, file);
    const text = readFileSync(handle, 'utf8');
    return text.trim() === '' ? undefined : parseCredential(text);
  } catch (error) {
    if (error instanceof CredentialRefused) throw error;
    // Not the message of the parser: it may quote what is in the file.
    throw new CredentialRefused(
      `${file} is not the credential of an agent; move it away, and run heex-agent install for a new agent`,
    );
  } finally {
    closeSync(handle);
  }
}

function parseCredential(text: string): Credential {
  const { url, agentId, privateKey } = JSON.parse(text);
  if (typeof url !== 'string' || (agentId !== null && typeof agentId !== 'string')) throw new TypeError();
  const key = createPrivateKey({ key: privateKey, format: 'jwk' });
  return { url, agentId, privateKey: key, x: xOf(key) };
}

/** @throws CredentialRefused when the file is missing, open to others or not a credential */
export function readCredential(file: string): Credential {
  const found = findCredential(file);
  if (!found) throw new CredentialRefused(`${file} is not there; run heex-agent install first`);
  return found;
}
