import type { IncomingMessage } from 'node:http';
import { Refusal } from '../domain/refusal.ts';
import type { Ctx } from './context.ts';

/** The most that a body may have, in bytes. */
export const BODY_LIMIT = 256 * 1024;

const tooLarge = () => new Refusal('payload_too_large', '', [], { Connection: 'close' });

/**
 * Gathers the pieces of a body. Room grows by doubling: copied anew with each piece, a body in pieces of one byte held up every
 * other request for seconds.
 */
export class Gathered {
  #room: Buffer | undefined;
  #size = 0;

  /** @throws Refusal payload_too_large beyond `BODY_LIMIT`; the connection is closed, since nobody reads the rest */
  add(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (size > BODY_LIMIT) throw tooLarge();
    if (!this.#room) this.#room = piece;
    else {
      if (size > this.#room.length) {
        const more = Buffer.allocUnsafe(Math.max(size, 2 * this.#room.length));
        this.#room.copy(more, 0, 0, this.#size);
        this.#room = more;
      }
      piece.copy(this.#room, this.#size);
    }
    this.#size = size;
  }

  /** What came until now; undefined when nothing did. */
  get bytes(): Buffer | undefined {
    return this.#room?.subarray(0, this.#size);
  }
}

const read = new WeakMap<IncomingMessage, Promise<Uint8Array>>();

/**
 * Reads a body of at most `BODY_LIMIT` bytes, once however often it is asked for. From Node's own request: after some hundred
 * bodies read as web streams, every later request on any connection outlived its answer until the next full collection of
 * garbage, and checks became much slower for it.
 * @throws Refusal payload_too_large; bad_request when the sender goes away in the middle of it
 */
export function readBody(c: Ctx): Promise<Uint8Array> {
  const { incoming } = c.env;
  const known = read.get(incoming);
  if (known) return known;
  const reading = gather(incoming);
  read.set(incoming, reading);
  return reading;
}

async function gather(incoming: IncomingMessage): Promise<Uint8Array> {
  if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge();
  const gathered = new Gathered();
  try {
    // What is not read any more is left to the connection's end: ended with the request, it would take the answer along.
    for await (const piece of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
      gathered.add(piece);
  } catch (error) {
    if ((error as { code?: string }).code === 'ECONNRESET')
      throw new Refusal('bad_request', 'The body did not come whole.');
    throw error;
  }
  return gathered.bytes ?? new Uint8Array();
}
