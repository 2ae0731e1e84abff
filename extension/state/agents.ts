import { signal } from '@preact/signals';
import type { Agent } from '../../shared/contract/agents.ts';
import type { Result } from '../messages/failure.ts';
import type { AnswerOf, PayloadOf } from '../messages/protocol.ts';
import { ask } from '../messages/send.ts';

export type AgentQuery = PayloadOf<'agent.list'>['query'];
type Counts = AnswerOf<'agent.list'>['counts'];

/** Of all agents that the reader may see, as the latest answer has it; undefined until one has come. */
export const agentCounts = signal<Counts | undefined>(undefined);

/** A page of agents, newest first, and how many there are of which kind. */
export async function listAgents(query: Partial<AgentQuery>): Promise<Result<AnswerOf<'agent.list'>>> {
  const result = await ask('agent.list', { query: { limit: 50, ...query } });
  if (result.ok) agentCounts.value = result.value.counts;
  return result;
}
/** Their number alone, for the navigation. */
export const countAgents = () => listAgents({ limit: 1 });

/** Its connection ends at once, and it can never connect again. */
export const removeAgent = (agentId: string) => ask('agent.remove', { agentId });

/** Agents that have something in common. `more`: there are others that were not read. */
export interface SomeAgents {
  agents: readonly Pick<Agent, 'name' | 'state'>[];
  more: boolean;
}
/** The newest hundred that were enrolled with a key. */
export async function agentsOf(key: string): Promise<SomeAgents | undefined> {
  const result = await listAgents({ limit: 100, key });
  return result.ok ? { agents: result.value.items, more: result.value.nextCursor !== null } : undefined;
}

/** Ids of the agents of a member that are connected now; those of which that is not known are not among them. */
export async function connectedOf(owner: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const result = await listAgents({ limit: 100, owner, state: 'connected', ...(cursor ? { cursor } : {}) });
    if (!result.ok) return ids;
    for (const { id } of result.value.items) ids.add(id);
    if (result.value.nextCursor === null) return ids;
    cursor = result.value.nextCursor;
  }
}
