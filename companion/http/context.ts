import type { Duplex } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Origin } from '../app/deps.ts';

/** A request to leave HTTP for another protocol; there in the bindings of such a request only, without `outgoing`. */
export interface Upgrade {
  socket: Duplex;
  head: Buffer;
  /** Set by the handler that takes over the socket; its answer is then not sent. */
  take: (() => void) | undefined;
}

export interface Env {
  Bindings: HttpBindings & { upgrade?: Upgrade };
  Variables: { origin: Origin };
}
export type App = Hono<Env>;
export type Ctx = Context<Env>;
