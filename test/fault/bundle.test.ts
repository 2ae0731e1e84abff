import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleProgram } from '../../scripts/bundle.ts';
import { scratchFolder } from '../support/process.ts';
import { agentProcess, workplace } from '../support/workplace.ts';

test('the agent as one file in an empty folder enrols, connects and stops, with nothing else beside it', async () => {
  const [w, folder, home] = [await workplace(), scratchFolder(), scratchFolder()];
  const program = await bundleProgram('examples/agent/heex-agent.ts', 'heex-agent', folder);
  expect(readdirSync(folder)).toEqual(['heex-agent.mjs']);
  const env = { HEEX_URL: w.companion.url, HEEX_API_KEY: w.secret, XDG_CONFIG_HOME: home };
  const installed = agentProcess(['install', '--name', 'truck-17'], env, program);
  expect([await installed.code, installed.out()]).toEqual([0, expect.stringContaining('Enrolled as truck-17')]);
  const id = /\((agt_\w+)\)/.exec(installed.out())?.[1] ?? '';
  const runs = agentProcess(['run'], { XDG_CONFIG_HOME: home }, program);
  await w.state(w.companion, id, 'connected');
  runs.child.kill('SIGTERM');
  expect(await runs.code).toBe(0);
  expect([readdirSync(folder), readdirSync(join(home, 'heex-agent'))]).toEqual([['heex-agent.mjs'], ['agent.json']]);
  await w.companion.end();
});
