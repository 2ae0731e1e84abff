import { people } from '../../../shared/contract/people.ts';
import { exchangeCode } from '../../app/connect.ts';
import type { Deps } from '../../app/deps.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

export function bindConnect(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, people.connectToken, authenticate, ({ body, origin }) => exchangeCode(deps, body, origin));
}
