import { BadConfig, readConfig } from './config.ts';
import { createLog, describeError } from './http/log.ts';
import { startCompanion } from './start.ts';
import { DatabaseRefused } from './store/migrate.ts';

/** The process: starts, says where it listens, stops cleanly. Exit code 2 is a start that was refused. */
// Files of the data folder are for this user alone.
process.umask(0o077);

const log = createLog((line) => process.stdout.write(`${line}\n`));

try {
  const companion = await startCompanion(readConfig(process.env), log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      await companion.stop();
      process.exit(0);
    });
  }
  process.on('unhandledRejection', (error) => log('error', 'unhandled', describeError(error)));
  // Last: whoever waits for this line may end the process right after it.
  const setUp = companion.setupLink ? `\nSet it up here, once: ${companion.setupLink}` : '';
  console.log(`Heex Keys is ready on ${companion.deps.config.publicUrl}${setUp}`);
} catch (error) {
  const { code } = error as { code?: string };
  if (error instanceof BadConfig || error instanceof DatabaseRefused)
    console.error(`Heex Keys can't start: ${error.message}`);
  else if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL')
    console.error(`Heex Keys can't start: HEEX_HOST and HEEX_PORT can't be listened on (${code})`);
  else console.error(error);
  process.exit(2);
}
