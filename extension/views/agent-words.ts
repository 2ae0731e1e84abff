import type { Agent } from '../../shared/contract/agents.ts';
import type { SomeAgents } from '../state/agents.ts';
import { count } from '../ui/format.ts';

export const AGENT_STATE_WORDS: Record<Agent['state'], string> = {
  connected: 'Running',
  disconnected: 'Not seen',
  never_connected: 'Never seen',
};

const SHOWN = 8;

/**
 * `3 agents enrolled with it keep running, 2 more stay enrolled`. What does not run at the moment is not said to keep running:
 * it can connect as before.
 * @param which what the agents have in common, in words; may be empty
 */
export function keepWords({ agents, more }: SomeAgents, which = ''): string {
  const running = agents.filter(({ state }) => state === 'connected').length;
  const others = agents.length - running;
  const said = (n: number, one: string, many: string) =>
    `${[count(n, 'agent'), which].filter(Boolean).join(' ')} ${n === 1 ? one : many}`;
  const words =
    running === 0
      ? said(others, 'stays enrolled', 'stay enrolled')
      : `${said(running, 'keeps running', 'keep running')}${others === 0 ? '' : `, ${others} more ${others === 1 ? 'stays' : 'stay'} enrolled`}`;
  return more ? `More than ${words}` : words;
}

/** The names that are shown at once, as a text, and the others. */
export function agentNames(agents: readonly { name: string }[]): { first: string; rest: string[] } {
  const names = agents.map(({ name }) => name);
  // One more is not worth a click.
  const shown = names.length === SHOWN + 1 ? names.length : SHOWN;
  const rest = names.slice(shown);
  return { first: `${names.slice(0, shown).join(', ')}${rest.length > 0 ? ' and ' : '.'}`, rest };
}
