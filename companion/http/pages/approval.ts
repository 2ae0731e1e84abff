import { html } from 'hono/html';
import type { Role } from '../../../shared/contract/fields.ts';
import type { SessionCaller } from '../../app/caller.ts';
import type { Deps } from '../../app/deps.ts';
import { readMe } from '../../app/me.ts';
import { type Html, icon, NOTHING } from './layout.ts';

// What the pages have in common on which a person lets a browser's extension or a command line in.

/** Eight letters in two groups, to compare with what the other side shows. */
export function codeBoxes(code: string): Html {
  const letters = [...code];
  const spelled = `${letters.slice(0, 4).join(' ')}, ${letters.slice(4).join(' ')}`;
  const box = (letter: string) => html`<span>${letter}</span>`;
  return html`<div class="devcode" role="img" aria-label="Code ${spelled}">${letters.slice(0, 4).map(box)}<i></i>${letters.slice(4).map(box)}</div>`;
}

/** The role by which somebody may do more than their own things, if they have one. */
export async function managingRole(deps: Deps, caller: SessionCaller): Promise<Role | undefined> {
  const { memberships } = await readMe(deps, caller);
  return memberships.find((m) => m.role !== 'member')?.role;
}

/**
 * What the approved may do in somebody's name.
 * @param wayOut a sentence on how to end it
 */
export function whatItMay(managing: Role | undefined, wayOut: string): Html {
  return html`<ul class="small muted stack form--tight">
    <li class="row row--top">${icon('check')}<span>See, create, rotate and revoke <b>your own</b> keys</span></li>
    ${managing ? html`<li class="row row--top">${icon('check')}<span>Manage the team, because you are an ${managing}</span></li>` : NOTHING}
    <li class="row row--top">${icon('x')}<span>Never sees your password. ${wayOut}</span></li>
  </ul>`;
}

export const decisionButtons = html`<button type="submit" name="decision" value="deny" class="btn btn--lg btn--block">Deny</button>
          <button type="submit" name="decision" value="approve" class="btn btn--primary btn--lg btn--block">Approve</button>`;
