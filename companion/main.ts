import { readConfig } from './config.ts';
import { createLog, describeError } from './http/log.ts';
import { startCompanion } from './start.ts';

/** The process: starts, says where it listens, stops cleanly. Exit code 2 is a start that was refused. */
// Files of the data folder are for this user alone.
process.umask(0o077);

// Whoever reads the log may go away; that is no reason to stop answering.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const log = createLog((line) => process.stdout.write(`${line}\n`));

try {
  const companion = await startCompanion(readConfig(process.env), log);
  let stopping = false;
  // `on`, not `once`: a second signal, which process managers and npm send, must not cut off what is being answered.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void companion.stop().then(() => process.exit(0));
    });
  process.on('unhandledRejection', (error) => log('error', 'unhandled', describeError(error)));
  // Last: whoever waits for this line may end the process right after it.
  const setUp = companion.setupLink ? `\nSet it up here, once: ${companion.setupLink}` : '';
  console.log(`Heex Keys is ready on ${companion.deps.config.publicUrl}${setUp}`);
} catch (error) {
  console.error(`Heex Keys can't start: ${reasonOf(error)}`);
  process.exit(2);
}

/** Why a start failed, in one line. */
function reasonOf(error: unknown): string {
  const { code, syscall, message } = error as { code?: string; syscall?: string; message?: string };
  if (syscall === 'listen' || syscall === 'getaddrinfo')
    return `HEEX_HOST and HEEX_PORT can't be listened on (${code})`;
  return String(message ?? error).split('\n')[0] ?? '';
}
