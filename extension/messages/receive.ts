import { browser } from 'wxt/browser';
import { redact } from '../../shared/key-format.ts';
import { type Failure, localFailure, type Result } from './failure.ts';
import { type AnswerOf, type MessageType, type PayloadOf, payloads } from './protocol.ts';

type Handler<T extends MessageType> = (payload: PayloadOf<T>) => AnswerOf<T> | Promise<AnswerOf<T>>;
export type Handlers = { [T in MessageType]: Handler<T> };
type Sender = Parameters<Parameters<typeof browser.runtime.onMessage.addListener>[0]>[1];

/** What the page is told of an error that carries it; any other is a fault of ours. */
export const failureOf = (error: unknown): Failure | undefined =>
  error instanceof Error && 'failure' in error ? (error.failure as Failure) : undefined;

/**
 * Only pages of this extension, at `origin`, may ask. A content script has the same `id`, but the address of a web page; `sender.tab` says
 * nothing, because a page in a tab has one and a popup has none.
 */
function isOwnPage(sender: Sender, origin: string): boolean {
  return sender.id === browser.runtime.id && sender.url?.startsWith(`${origin}/`) === true;
}

const isType = (type: unknown): type is MessageType => typeof type === 'string' && Object.hasOwn(payloads, type);

/** Takes what pages ask. Every message has exactly one handler; a second one, or a missing one, is an error at start. */
export function createReceiver(origin: string) {
  const handlers: Partial<Handlers> = {};

  async function answer<T extends MessageType>(type: T, payload: unknown): Promise<Result<AnswerOf<T>>> {
    const parsed = payloads[type].safeParse(payload);
    if (!parsed.success) {
      const errors = parsed.error.issues.map((issue) => ({
        path: issue.path
          .map(String)
          .join('.')
          .replace(/^body\./, ''),
        message: issue.message,
      }));
      return { ok: false, failure: { code: 'bad_request', title: 'The request has an error', errors } };
    }
    try {
      const handler = handlers[type] as Handler<T>;
      return { ok: true, value: await handler(parsed.data as PayloadOf<T>) };
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) console.error(type, redact(String(error)));
      return { ok: false, failure: failure ?? localFailure('internal_error') };
    }
  }

  return {
    handle(more: Partial<Handlers>): void {
      for (const type of Object.keys(more)) {
        if (Object.hasOwn(handlers, type)) throw new Error(`two handlers for the message ${type}`);
      }
      Object.assign(handlers, more);
    },
    /** Begins to take messages; they wait until `ready`. */
    listen(ready: Promise<void>): void {
      const missing = Object.keys(payloads).filter((type) => !Object.hasOwn(handlers, type));
      if (missing.length > 0) throw new Error(`no handler for the messages ${missing.join(', ')}`);
      browser.runtime.onMessage.addListener((message: unknown, sender, reply) => {
        const { type, payload } = (message ?? {}) as { type?: unknown; payload?: unknown };
        if (!isType(type) || !isOwnPage(sender, origin)) return;
        void ready.then(() => answer(type, payload)).then(reply);
        // Keeps the channel open for the answer; Chrome takes no promise here.
        return true;
      });
    },
  };
}
