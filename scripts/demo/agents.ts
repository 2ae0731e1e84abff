import { newCredential } from '../../examples/agent/credential.ts';
import { enrol } from '../../examples/agent/enrol.ts';
import { stayConnected } from '../../examples/agent/run.ts';

const NAMES = ['truck-17', 'truck-22', 'rig-5', 'rig-6', 'rig-9'];
/** These are switched off. */
const AWAY = new Set(['rig-6']);

/**
 * Installs agents with a key and lets them run.
 * @param url the companion
 * @param key with the permission to enrol
 * @param stop ends them
 */
export async function startFleet(url: string, key: string, stop: AbortSignal): Promise<void> {
  for (const name of NAMES) {
    const credential = newCredential(url);
    const { id } = await enrol(credential, key, name);
    if (AWAY.has(name)) continue;
    void stayConnected({ ...credential, agentId: id }, { version: '1.8.0', hostName: `${name}.fleet` }, () => {}, stop);
  }
}
