import * as z from 'zod/mini';
import { AGENT_SUBPROTOCOL } from '../../../shared/agent-protocol.ts';
import { agents } from '../../../shared/contract/agents.ts';
import { enrolAgent } from '../../app/agents/enrol.ts';
import { listAgents } from '../../app/agents/list.ts';
import { removeAgent } from '../../app/agents/remove.ts';
import type { Deps } from '../../app/deps.ts';
import { badField, Refusal } from '../../domain/refusal.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind, Reply } from '../bind.ts';
import type { App, Ctx } from '../context.ts';
import { validate } from '../validate.ts';

export function bindAgents(app: App, deps: Deps, authenticate: Authenticate, hosts: ReadonlySet<string>): void {
  bind(app, agents.enrolAgent, authenticate, async ({ body, caller, origin }) => {
    const { agent, made } = await enrolAgent(deps, { body, key: caller, hosts }, origin);
    return new Reply(made ? 201 : 200, agent);
  });
  bind(app, agents.listAgents, authenticate, ({ caller, query }) => listAgents(deps, caller, query));
  bind(app, agents.removeAgent, authenticate, ({ caller, params }) => removeAgent(deps, caller, params.agentId));
  app.get(agents.connectAgent.path, (c) => {
    const upgrade = readUpgrade(c);
    const origin = c.get('origin');
    deps.agents.admit(origin.ip);
    upgrade.take = () => deps.agents.accept(c.env.incoming, upgrade.socket, upgrade.head, hosts, origin);
    return c.body(null, 204);
  });
}

/** @throws Refusal websocket_required, forbidden, bad_request */
function readUpgrade(c: Ctx) {
  const { upgrade } = c.env;
  if (!upgrade) throw new Refusal('websocket_required', '', [], { Upgrade: 'websocket', Connection: 'Upgrade' });
  // Only browsers send it, and no page has any business here (RFC 6455, 10.2).
  if (c.req.header('origin') !== undefined) throw new Refusal('forbidden', 'Agents are not web pages.');
  const offered = (c.req.header('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(AGENT_SUBPROTOCOL))
    throw badField('Sec-WebSocket-Protocol', `has to offer ${AGENT_SUBPROTOCOL}`);
  validate(z.strictObject({}), c.req.query());
  return upgrade;
}
