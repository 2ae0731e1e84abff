import { Refusal } from '../domain/refusal.ts';
import type { Ctx } from './context.ts';

/** The most that a body may have, in bytes. */
export const BODY_LIMIT = 256 * 1024;

const read = new WeakMap<Request, Promise<Uint8Array>>();

/** Reads a body of at most `BODY_LIMIT` bytes, once however often it is asked for. @throws Refusal payload_too_large */
export function readBody(c: Ctx): Promise<Uint8Array> {
  const { raw } = c.req;
  const known = read.get(raw);
  if (known) return known;
  const reading = gather(raw);
  read.set(raw, reading);
  return reading;
}

async function gather({ headers, body }: Request): Promise<Uint8Array> {
  const tooLarge = () => new Refusal('payload_too_large', '', [], { Connection: 'close' });
  if (Number(headers.get('content-length') ?? 0) > BODY_LIMIT) throw tooLarge();
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
