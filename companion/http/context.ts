import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Origin } from '../app/deps.ts';

export interface Env {
  Bindings: HttpBindings;
  Variables: { origin: Origin; bodyText: string | undefined };
}
export type App = Hono<Env>;
export type Ctx = Context<Env>;
