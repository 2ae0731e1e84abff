import { Agent, request } from 'node:http';

/** A client that keeps its connections, for tests that send many requests. */
export function keepAliveClient(sockets = 8) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  return {
    close: () => agent.destroy(),
    ask(
      url: string,
      method: string,
      headers: Record<string, string>,
      body?: unknown,
    ): Promise<{ status: number; headers: Record<string, string | undefined>; text: string }> {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      return new Promise((done, fail) => {
        const req = request(url, {
          agent,
          method,
          headers: {
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        });
        req.on('error', fail);
        req.on('response', (res) => {
          let answer = '';
          res.setEncoding('utf8');
          res.on('data', (piece) => {
            answer += piece;
          });
          res.on('end', () =>
            done({
              status: res.statusCode ?? 0,
              headers: res.headers as Record<string, string | undefined>,
              text: answer,
            }),
          );
        });
        req.end(text);
      });
    },
  };
}
export type KeepAliveClient = ReturnType<typeof keepAliveClient>;
