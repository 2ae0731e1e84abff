import { parseArgs } from 'node:util';
import { FailureError } from '../../shared/client/client.ts';
import type { Failure } from '../../shared/client/failure.ts';
import { login, logout, whoami } from './account.ts';
import { BadUsage, EXIT, type Io, plain, Refused, SignedOut } from './io.ts';
import { createKey, type KeyOptions, listKeys, revokeKey, rotateKey } from './keys.ts';

export const USAGE = `heex: personal API keys from the command line

  heex login [--url URL]              sign in: a code is typed in a browser
  heex whoami [--session] [--json]    what HEEX_API_KEY is, or who is signed in
  heex logout                         end the session

  heex keys list [--env ENV] [--status STATUS] [--json]
  heex keys create --env ENV --name NAME [--expires 90d|DATE|never] [--group GROUP] [--permission P]…
                   [--ip RANGE]… [--rate 100/60] [--customer C]… [--description TEXT] [--technical-owner E-MAIL]
  heex keys rotate KEY [--overlap none|1h|24h|7d] [--expires …]
  heex keys revoke KEY [--reason leaked|superseded] [--yes]

KEY is a name, a prefix or an id. create and rotate print the secret, and nothing else, to standard output:
  export HEEX_API_KEY=$(heex keys create --env staging --name my-laptop --expires 90d)

Options everywhere: --url URL, --workspace NAME, --quiet, --json, --help
Environment: HEEX_URL (the server), HEEX_API_KEY (for whoami), HEEX_WORKSPACE
Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 server not reached
`;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const LIST = { type: 'string', multiple: true } as const;
const EVERYWHERE = { url: TEXT, json: FLAG, quiet: FLAG, help: { ...FLAG, short: 'h' } } as const;
const KEYS = { ...EVERYWHERE, workspace: TEXT } as const;

type OptionTypes = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;
interface Command {
  options: OptionTypes;
  /** The names of what is given without an option. */
  takes: readonly string[];
  run(io: Io, options: KeyOptions & { session?: boolean }, given: readonly string[]): Promise<void>;
}

const COMMANDS: Record<string, Command> = {
  login: { options: EVERYWHERE, takes: [], run: login },
  logout: { options: EVERYWHERE, takes: [], run: logout },
  whoami: { options: { ...EVERYWHERE, session: FLAG }, takes: [], run: whoami },
  'keys list': { options: { ...KEYS, env: TEXT, status: TEXT }, takes: [], run: listKeys },
  'keys create': {
    options: {
      ...{ ...KEYS, env: TEXT, name: TEXT, description: TEXT, group: TEXT, permission: LIST, customer: LIST, ip: LIST },
      ...{ rate: TEXT, expires: TEXT, 'technical-owner': TEXT },
    },
    takes: [],
    run: createKey,
  },
  'keys rotate': {
    options: { ...KEYS, overlap: TEXT, expires: TEXT },
    takes: ['KEY'],
    run: (io, options, [key]) => rotateKey(io, options, key as string),
  },
  'keys revoke': {
    options: { ...KEYS, reason: TEXT, yes: FLAG },
    takes: ['KEY'],
    run: (io, options, [key]) => revokeKey(io, options, key as string),
  },
};

/** Runs one command line. @returns the exit code */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    if (!args.length || args[0] === 'help' || args.includes('--help') || args.includes('-h')) {
      io.out(USAGE);
      return args.length ? EXIT.done : EXIT.usage;
    }
    const words = args[0] === 'keys' ? 2 : 1;
    const name = args.slice(0, words).join(' ');
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw new BadUsage(`There is no command "${name}". See heex --help.`);
    const { values, positionals } = parse(command, args.slice(words));
    await command.run(io, values as KeyOptions, positionals);
    return EXIT.done;
  } catch (error) {
    return explain(io, error);
  }
}

function parse({ options, takes }: Command, args: readonly string[]) {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new BadUsage((error as Error).message);
  }
  if (parsed.positionals.length !== takes.length)
    throw new BadUsage(
      takes.length ? `Give ${takes.join(' and ')}, and nothing more.` : 'Too many words. See heex --help.',
    );
  return parsed;
}

function explain(io: Io, error: unknown): number {
  if (error instanceof FailureError) return explainFailure(io, error.failure);
  const code = codeOf(error);
  if (code === undefined) throw error;
  io.say(`heex: ${plain((error as Error).message)}\n`);
  return code;
}

function codeOf(error: unknown): number | undefined {
  if (error instanceof BadUsage) return EXIT.usage;
  if (error instanceof SignedOut) return EXIT.signedOut;
  if (error instanceof Refused) return EXIT.refused;
  return undefined;
}

/** What happened, what is wrong with which field, then the raw code and the request id. */
function explainFailure(io: Io, failure: Failure): number {
  const { code, title, detail, errors = [], requestId, status } = failure;
  const fields = errors.map((e) => `\n  ${e.path}: ${e.message}`).join('');
  const reference = [code, ...(requestId ? [requestId] : [])].join(', ');
  io.say(`heex: ${clean(fields ? title : (detail ?? title))}${clean(fields)} (${plain(reference)})\n`);
  return status === undefined ? EXIT.unreachable : EXIT.refused;
}

const clean = (text: string) => text.split('\n').map(plain).join('\n');
