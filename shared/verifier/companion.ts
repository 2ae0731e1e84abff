import { type UsageReport, type Verdict, verdict, verification } from '../contract/verify.ts';

/** What a check asks for, beside the key. */
export interface Ask {
  key: string;
  /** All of them are required. */
  permissions?: readonly string[] | undefined;
  customer?: string | undefined;
  /** Where the request came from; without it a key that has an allowlist is refused. */
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** The companion can't be asked, or does not want to answer this verifier. */
export class CompanionUnavailable extends Error {
  /** The secret is none (any more): nothing that was learned by it may be used further. */
  readonly refused: boolean;
  constructor(message: string, refused = false) {
    super(message);
    this.refused = refused;
  }
}

/** The calls that a service makes to the companion. */
export function createCompanion(origin: string, secret: string, timeoutMs: number, send: typeof fetch) {
  const headers = { Authorization: `Bearer ${secret}` };
  async function post(path: string, body: unknown): Promise<unknown> {
    let response: Response;
    try {
      response = await send(origin + path, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      });
      if (response.ok) return await response.json();
      await response.body?.cancel();
    } catch (error) {
      throw new CompanionUnavailable(`the companion can't be reached: ${(error as Error).message}`);
    }
    throw new CompanionUnavailable(`the companion answers ${response.status}`, response.status === 401);
  }
  return {
    headers,
    streamUrl: `${origin}/v1/verify/stream`,
    verify: async (ask: Ask): Promise<Verdict> => verdict.parse(await post('/v1/verify', ask)),
    resolve: async (key: string) => verification.resolve.answers[200].parse(await post('/v1/verify/resolve', { key })),
    report: (report: UsageReport) => post('/v1/verify/usage', report),
  };
}
