// The package has no types of its own: this is what the tests use of it.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }
  interface Context {
    oidc: {
      session?: { accountId?: string };
      client?: { clientId: string };
      provider: { Grant: new (of: { accountId: string; clientId: string }) => Grant };
    };
  }
  interface Settings {
    clients: object[];
    jwks: { keys: object[] };
    cookies: object;
    claims: object;
    features: object;
    ttl: object;
    pkce: object;
    interactions: { url(ctx: Context, interaction: { uid: string }): string };
    findAccount(ctx: Context, sub: string): { accountId: string; claims(): Promise<object> };
    loadExistingGrant(ctx: Context): Promise<Grant>;
  }
  export default class Provider {
    constructor(issuer: string, settings: Settings);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
      options: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
  }
}
