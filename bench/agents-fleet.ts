import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { stayConnected } from '../examples/agent/run.ts';

/** Many agents in one process: started by `agents.ts`, which they tell how many are connected and when each was welcomed. */
let connected = 0;
let welcomes: number[] = [];

interface Given {
  url: string;
  agentId: string;
  x: string;
  jwk: JsonWebKey;
}

process.on('message', async (given: Given[]) => {
  for (const [i, { url, agentId, x, jwk }] of given.entries()) {
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    const report = { version: '1.0.0', hostName: `host-${i}`, platform: 'Debian 12 · x64' };
    const log = (_level: string, message: string) => {
      if (message === 'connected') {
        connected++;
        welcomes.push(Date.now());
      } else if (message === 'disconnected') connected--;
    };
    void stayConnected({ url, agentId, x, privateKey }, report, log, new AbortController().signal);
    if (i % 50 === 49) await sleep(50);
  }
});

setInterval(() => {
  process.send?.({ connected, welcomes });
  welcomes = [];
}, 50);
