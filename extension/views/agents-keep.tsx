import { useEffect, useState } from 'preact/hooks';
import { agentsOf, type SomeAgents } from '../state/agents.ts';
import { Icon } from '../ui/icon.tsx';
import { agentNames, keepWords } from './agent-words.ts';

const NONE: SomeAgents = { agents: [], more: false };

async function readAll(keyIds: readonly string[]): Promise<SomeAgents | undefined> {
  const answers = await Promise.all(keyIds.map((key) => agentsOf(key)));
  return answers.reduce<SomeAgents | undefined>(
    (sum, one) => sum && one && { agents: [...sum.agents, ...one.agents], more: sum.more || one.more },
    NONE,
  );
}

/** The agents that were enrolled with these keys; undefined until they have come, and when they don't. */
export function useAgentsOf(keyIds: readonly string[]): SomeAgents | undefined {
  const [found, setFound] = useState<{ of: string; agents: SomeAgents | undefined }>();
  const of = keyIds.join();
  useEffect(() => {
    let gone = false;
    void readAll(keyIds).then((agents) => gone || setFound({ of, agents }));
    return () => {
      gone = true;
    };
  }, [of]);
  return found?.of === of ? found.agents : undefined;
}

/** The names of agents: a few, and the others when they are asked for. */
export function AgentNames({ of: { agents, more } }: { of: SomeAgents }) {
  const { first, rest } = agentNames(agents);
  return (
    <>
      {first}
      {rest.length === 0 ? (
        more && ' and others'
      ) : (
        <details class="agents-rest">
          <summary>
            {more ? 'more than ' : ''}
            {rest.length} more
          </summary>
          <p>{rest.join(', ')}</p>
        </details>
      )}
    </>
  );
}

/** Which agents go on without the key or keys. Nothing, where it never enrolled any. */
export function AgentsKeep({ of: found, by }: { of: SomeAgents | undefined; by: 'it' | 'them' }) {
  if (found?.agents.length === 0) return null;
  return (
    <div class="row row--top small muted">
      <Icon name="agent" />
      <div>
        {found ? (
          <>
            {keepWords(found, `enrolled with ${by}`)}: <AgentNames of={found} />
          </>
        ) : (
          `Agents enrolled with ${by}, if there are any, keep running.`
        )}
      </div>
    </div>
  );
}
