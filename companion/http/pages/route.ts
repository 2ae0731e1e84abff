import { html } from 'hono/html';
import { PROBLEMS, type ProblemCode } from '../../../shared/contract/errors.ts';
import { isToken } from '../../../shared/key-format.ts';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps, Origin } from '../../app/deps.ts';
import { authenticateSession, type IssuedSession } from '../../app/sessions.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { App, Ctx } from '../context.ts';
import { crossSite, readSessionCookie, writeSessionCookie } from '../cookies.ts';
import { toRefusal } from '../problems.ts';
import { readForm } from './form.ts';
import { heading, render } from './layout.ts';

export interface PageCall {
  c: Ctx;
  /** The signed-in person. */
  caller: SessionCaller | undefined;
  origin: Origin;
}
export interface FormCall extends PageCall {
  form: Record<string, string>;
}

async function callerOf(c: Ctx, deps: Deps): Promise<SessionCaller | undefined> {
  const token = readSessionCookie(c, deps.config.publicUrl);
  if (token === undefined || !isToken('session', token)) return undefined;
  try {
    return await authenticateSession(deps, token, c.get('origin'));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unauthorized') return undefined;
    throw error;
  }
}

// Where the words of the API would mislead somebody in front of a form.
const TITLES: Partial<Record<ProblemCode, string>> = {
  unsupported_media_type: 'This form can’t be read',
};
const FROM_ELSEWHERE: typeof TITLES = { forbidden: 'This form was sent by another site' };

/** A refusal as a page. A fault of ours goes on to the guard, which logs it. */
async function refusalPage(c: Ctx, deps: Deps, error: unknown, heads = TITLES): Promise<Response> {
  const refusal = toRefusal(error);
  if (refusal.code === 'internal') throw error;
  const [status, inApi] = PROBLEMS[refusal.code];
  const title = heads[refusal.code] ?? inApi;
  const text = refusal.message === inApi ? 'Go back and try again.' : refusal.message;
  const response = await render(c, deps.config.publicUrl, {
    title,
    status,
    body: html`${heading(title, text)}<p class="small muted">Request <code>${c.get('origin').requestId}</code></p>`,
  });
  for (const [name, value] of Object.entries(refusal.headers)) response.headers.set(name, value);
  return response;
}

/** Declares pages. Every form is refused when another site sent it, signed in or not: nobody is signed in by stealth either. */
export function pagesOn(app: App, deps: Deps) {
  const guarded = (work: (c: Ctx) => Promise<Response>) => async (c: Ctx) => {
    try {
      return await work(c);
    } catch (error) {
      return refusalPage(c, deps, error);
    }
  };
  return {
    get(path: string, handler: (call: PageCall) => Promise<Response>): void {
      app.get(
        path,
        guarded(async (c) => handler({ c, caller: await callerOf(c, deps), origin: c.get('origin') })),
      );
    },
    post(path: string, handler: (call: FormCall) => Promise<Response>): void {
      app.post(
        path,
        guarded(async (c) => {
          if (crossSite(c)) return refusalPage(c, deps, new Refusal('forbidden', 'Nothing was done.'), FROM_ELSEWHERE);
          const form = await readForm(c);
          return handler({ c, caller: await callerOf(c, deps), origin: c.get('origin'), form });
        }),
      );
    },
  };
}
export type Pages = ReturnType<typeof pagesOn>;

/** On to another page, as a GET. */
export function seeOther(c: Ctx, path: string): Response {
  return c.body(null, 303, { Location: path });
}

/** Signs the browser in and goes on. The session that it had before, if any, is not used any more. */
export function signedIn(c: Ctx, deps: Deps, session: IssuedSession, next: string): Response {
  writeSessionCookie(c, deps.config.publicUrl, session.token, new Date(session.expiresAt));
  return seeOther(c, next);
}
